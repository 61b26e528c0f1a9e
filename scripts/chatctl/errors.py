"""The ways a command fails, told apart by exit code.

A message is one sentence for a person: the thing, the reason, the way out. It is printed as it is, never with a trace.
"""


class ChatctlError(Exception):
    """Base of every failure that `chatctl` explains; `exit_code` is what the process ends with."""

    exit_code = 2


class UserError(ChatctlError):
    """A mistake the user can mend: a wrong value, a taken port, an image that does not exist. Exit code 1."""

    exit_code = 1


class ChartError(ChatctlError):
    """A mistake in the chart itself: a template that does not render to objects. Exit code 1."""

    exit_code = 1


class ToolError(ChatctlError):
    """The tool's own trouble: a build, a download or the local cluster failed. Exit code 2."""
