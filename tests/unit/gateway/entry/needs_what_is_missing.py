"""A command whose package is not installed, for the test of the lazy group."""

import no_such_package  # type: ignore[import-not-found]  # noqa: F401
