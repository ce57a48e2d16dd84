// Builds where that is needed, then runs a program of dist/ in this process, so that signals reach it.
import './build.js';

// As if node had been called with the program itself.
process.argv.splice(1, 2, process.argv[2]);
if (!process.exitCode) await import(`../dist/${process.argv[1]}`);
