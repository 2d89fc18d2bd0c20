/** How Node runs a process that works through a whole log. */

/**
 * Without it V8 takes from the size of the machine how much young garbage it may keep: 400 MB per process during an import, of which 50 MB are alive.
 * Less than this costs time.
 */
export const NODE_FLAGS = ['--max-semi-space-size=8'];
