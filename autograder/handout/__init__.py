"""What students hold: source that `autograder build` puts into notebooks and bundles. It imports nothing of the kit."""
