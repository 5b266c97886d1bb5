"""What a process needs to become a server: its context, its privileges, signals and the service manager."""
