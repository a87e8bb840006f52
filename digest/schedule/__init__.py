"""The daemon: a bell rung by the minute and by new files, and one worker that runs the pipeline when it rings."""
