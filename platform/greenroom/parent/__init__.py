"""The one parent process of `make up`: it prepares, starts, restarts and stops everything else."""
