"""What the suite needs of its surroundings."""

import signal

# Under nohup the signal of a closed terminal is ignored, by this process and all that it starts; what
# fundwatch does with that signal is to be seen all the same.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
