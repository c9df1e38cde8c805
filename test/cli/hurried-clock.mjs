// Loaded before the command: whatever takes a millisecond takes ten seconds, so that progress is shown at once.
const now = performance.now.bind(performance)
performance.now = () => now() * 10_000
