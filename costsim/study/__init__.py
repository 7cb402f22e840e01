"""Many runs: replications, deployments side by side, a verdict."""
