import {spawn} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {runRole} from '#appliance/process/run-role.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {fakeRoleConfigSchema} from '#test/fake/role-config.ts';

/** A role that fails as its box file says. It is started as a real role is: `node role-main.ts --config FILE`. */

const later = async (durationMs: number | undefined, act: () => void): Promise<void> => {
	if (durationMs !== undefined) {
		await sleep(durationMs);
		act();
	}
};

await runRole({
	kind: 'stb',
	configSchema: fakeRoleConfigSchema,
	start: async ({config, box, logger, signal}) => {
		await writeFile(path.join(box.stateDirectory, 'role.pid'), String(process.pid));
		if (config.refuseToStart) {
			throw new Error('this role refuses to start');
		}
		if (config.grandchild) {
			const child = spawn('sleep', ['600'], {stdio: 'ignore'});
			await writeFile(path.join(box.stateDirectory, 'grandchild.pid'), String(child.pid));
		}
		await sleep(config.readyAfterMs, {signal});
		if (config.says !== undefined) {
			logger.info(config.says);
		}
		void later(config.crashAfterMs, () => {
			throw new Error('this role crashes');
		});
		void later(config.blockAfterMs, () => {
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
		});
		return {
			endpoints: {http: 'http://127.0.0.1:9'},
			reconfigure: (next) => {
				logger.info(next.says ?? 'changed');
				return Promise.resolve(next.takesChanges);
			},
			purgeCache: (uriPrefix) => Promise.resolve(uriPrefix.length),
			[Symbol.asyncDispose]: async () => {
				await sleep(config.disposeMs);
				await writeFile(path.join(box.stateDirectory, 'disposed'), '');
			},
		};
	},
});
