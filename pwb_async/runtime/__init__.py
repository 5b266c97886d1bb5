"""Everything between the options and a serving process: context, privileges, signals and the service manager."""
