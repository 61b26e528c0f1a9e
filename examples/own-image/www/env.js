/* The settings of an image that nobody has installed yet. The chart mounts its own script over this file. */
window._env_ = null;
