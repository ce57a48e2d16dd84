import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { built } from '../../support/build.js';
import { describeInWhole } from '../../support/host.js';
import { newFolder, run } from '../../support/server.js';

const main = (): string => built('../examples/demo/main.js');

/** Runs a command in a terminal of its own. */
const PTY = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

// Each starts a server and two workers: in `npm run test:all`.
describeInWhole('the demo', () => {
  it.concurrent('tells its story, ends by itself and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [main(), '--short'], {}, undefined, 180);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^The server listens on http:\/\/127\.0\.0\.1:\d+\.\n/);
    expect(stdout).toContain('A worker in TypeScript transcodes, one in Python writes captions.\n');
    for (const line of [
      /^transcode film1\.mov {2}100 % {2}finished -> film1\.mp4$/m,
      /^caption {3}film1\.mov {2}.* attempt 2/m,
      /^caption {3}film1\.mov {2}100 % {2}finished, attempt 2 -> film1\.vtt$/m,
      /^caption {3}film2\.mov .*cancelled$/m,
    ])
      expect(stdout).toMatch(line);
    expect(stdout).toContain('The receiver heard of 4 ends, each signed: task.cancelled, task.finished.\n');
    expect(stdout).toMatch(/\n3 of 4 tasks finished, 1 cancelled, 0 failed; 1 took more than one attempt\.\n$/);
  });

  it.concurrent('draws bars in a terminal, and leaves the cursor where it found it', async () => {
    const demo = ['-c', PTY, process.execPath, main(), '--short'];
    const { code, stdout, stderr } = await run('python3', demo, { TERM: 'xterm' }, undefined, 180);
    expect([code, stderr]).toEqual([0, '']);
    const bars = [...stdout.matchAll(/(transcode|caption) +(film\d\.mov) +([█░]{20}) +(\d+)% +([^\x1b\r\n]*)/g)];
    expect(new Set(bars.map(([, service, film]) => `${service} ${film}`)).size).toBe(4);
    for (const [bar, , , drawn, percent] of bars)
      expect([bar, [...drawn!].filter((cell) => cell === '█').length]).toEqual([bar, Math.round(Number(percent) / 5)]);
    // They grow.
    const grown = bars.filter(([, service, film]) => service === 'transcode' && film === 'film1.mov');
    expect(new Set(grown.map(([, , , , percent]) => percent)).size).toBeGreaterThan(2);
    expect(grown.at(-1)!.slice(4)).toEqual(['100', 'finished -> film1.mp4']);
    // Hidden while they are drawn, and shown again.
    expect(stdout.lastIndexOf('\x1b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\x1b[?25l'));
    // What is said moves the bars down: each is drawn anew below it, or one would vanish and another stay as a ghost.
    const [, below] = stdout.split('The user has cancelled the last one.');
    expect(below!.split(/\x1b\[\d+A/)[0]!.match(/(transcode|caption) +film\d\.mov/g)).toHaveLength(4);
    expect(stdout).toMatch(/\n3 of 4 tasks finished, 1 cancelled, 0 failed; 1 took more than one attempt\.\r\n$/);
  });

  it.concurrent('says that there is no Python, and leaves nothing behind', async () => {
    const [folder, nothing] = [newFolder(), newFolder()];
    const environment = { PATH: nothing, TMPDIR: folder };
    const { code, stderr } = await run(process.execPath, [main(), '--short'], environment, undefined, 180);
    expect([code, stderr]).toEqual([1, 'the demo needs python3: spawn python3 ENOENT\n']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.concurrent('is ended by Ctrl-C as it ends itself', async () => {
    const folder = newFolder();
    const demo = spawn(process.execPath, [main()], { env: { PATH: process.env.PATH, TMPDIR: folder } });
    let printed = '';
    const ended = new Promise((end) => demo.once('close', end));
    await new Promise<void>((told) =>
      demo.stdout.on('data', (chunk) => {
        printed += String(chunk);
        if (printed.includes('one in Python')) told();
      }),
    );
    demo.kill('SIGINT');
    expect(await ended).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });
});
