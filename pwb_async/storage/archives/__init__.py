"""Sites in archives: `pwb site.zip`, a wheel, or a tar file, whose members are served without being unpacked."""
