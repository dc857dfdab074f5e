import {spawn} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import {runRole} from '#appliance/process/run-role.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** A role that fails as its box file says. It is started as a real role is: `node role-main.ts --config FILE`. */
const configSchema = z.strictObject({
	readyAfterMs: z.int().default(0),
	refuseToStart: z.boolean().default(false),
	crashAfterMs: z.int().optional().describe('Throws where nobody catches it.'),
	/** Its loop stands still, so that no heartbeat comes and no signal is handled. */
	blockAfterMs: z.int().optional(),
	disposeMs: z.int().default(0),
	/** A child of its own that must not outlive it. */
	grandchild: z.boolean().default(false),
});

const later = async (durationMs: number | undefined, act: () => void): Promise<void> => {
	if (durationMs !== undefined) {
		await sleep(durationMs);
		act();
	}
};

await runRole({
	kind: 'stb',
	configSchema,
	start: async ({config, box, signal}) => {
		await writeFile(path.join(box.stateDirectory, 'role.pid'), String(process.pid));
		if (config.refuseToStart) {
			throw new Error('this role refuses to start');
		}
		if (config.grandchild) {
			const child = spawn('sleep', ['600'], {stdio: 'ignore'});
			await writeFile(path.join(box.stateDirectory, 'grandchild.pid'), String(child.pid));
		}
		await sleep(config.readyAfterMs, {signal});
		void later(config.crashAfterMs, () => {
			throw new Error('this role crashes');
		});
		void later(config.blockAfterMs, () => {
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
		});
		return {
			endpoints: {http: 'http://127.0.0.1:9'},
			[Symbol.asyncDispose]: async () => {
				await sleep(config.disposeMs);
				await writeFile(path.join(box.stateDirectory, 'disposed'), '');
			},
		};
	},
});
