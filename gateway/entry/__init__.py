"""The command line and the processes. Composes everything; nothing imports it."""

from gateway.entry import strangers

strangers.refuse()  # here, since every module of this package imports ours by these names
