"""What is wrong with the files of TLS."""


class CertificateError(ValueError):
    """A certificate or a key cannot be used. Its str names the file and gives the reason, in one line."""
