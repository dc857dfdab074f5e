import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {bootSlot, noteExit} from '#ota/slot/directory/boot-slot.ts';

/** A slot that ends at once is not started in a tight loop; after so long it counts as having run. */
const steadyMs = 30_000;
const restart = {initialMs: 200, maxMs: 10_000} as const;

/**
 * The machine below a development box: chooses a slot as a boot loader does, runs the supervisor in it, and starts over
 * when that ends. A process of its own, because it must outlive both versions. What the software tells its parent goes
 * through to ours. `node launch-slots.ts --root <directory of the slots> --config <box.yaml>`
 */
const main = async (root: string, config: string): Promise<void> => {
	const stop = new AbortController();
	let child: ChildProcess | undefined;
	// Whoever stops us signals our process group, and so the child too; only the loss of our parent is ours alone.
	process.on('SIGTERM', () => stop.abort());
	process.on('SIGINT', () => stop.abort());
	process.on('disconnect', () => {
		stop.abort();
		child?.kill('SIGTERM');
	});
	for (let failures = 0; !stop.signal.aborted; ) {
		const {path} = await bootSlot({root});
		const startedMs = performance.now();
		child = fork(join(path, 'cli', 'main.ts'), ['supervisor', '--config', config], {stdio: ['ignore', 1, 2, 'ipc']});
		child.on('message', (message) => process.connected && process.send?.(message));
		const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
		if (code === 0) {
			// An order to reboot, or to stop: the loop's condition knows which.
			failures = 0;
			continue;
		}
		await noteExit(root, {origin: 'unknown', detail: `the supervisor ended with ${signal ?? `code ${code}`}`});
		failures = performance.now() - startedMs > steadyMs ? 0 : failures + 1;
		await sleep(backoffMs(failures, restart), {signal: stop.signal}).catch(() => undefined);
	}
};

const {values} = parseArgs({options: {root: {type: 'string'}, config: {type: 'string'}}});
await main(values.root ?? '', values.config ?? '');
process.exit(0);
