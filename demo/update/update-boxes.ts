import {cp, mkdir, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {stringify} from 'yaml';
import type {Logger} from '#appliance/log/logger.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import {freeTcpPort} from '#demo/box/free-port.ts';
import {buildTree} from '#demo/update/build-tree.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stopTimeoutMs = 30_000;
const startTimeoutMs = 120_000;
const firstPort = 8110;

/** The release that the two set-tops run before the update: what this checkout is. */
export const factoryRelease = '0.1.0';

export type UpdateBox = {
	readonly deviceId: string;
	/** A set-top of the kind on which the second version of the demo does not run. */
	readonly isFragile: boolean;
};
export const updateBoxes: readonly UpdateBox[] = [
	{deviceId: 'demo-stb-sturdy', isFragile: false},
	{deviceId: 'demo-stb-fragile', isFragile: true},
];

/** Of the fragile one; the planted mistake looks for it. */
export const fragileBudgetBytes = 512 * 1024 ** 2;
const sturdyBudgetBytes = 2 * fragileBudgetBytes;

export type UpdateBoxes = AsyncDisposable & {readonly pids: () => readonly number[]};

/**
 * Two more set-tops, each on a machine of two slots: its software lies in a folder of its own, as flashed in a factory,
 * and a boot loader's stand-in chooses which slot runs.
 */
export const startUpdateBoxes = async (options: {
	readonly directory: string;
	readonly claimFileOf: (deviceId: string) => string;
	/** The section `receive` of the demo's first set-top. */
	readonly receive: object;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Promise<UpdateBoxes> => {
	const {directory, claimFileOf, receive, logger, signal} = options;
	await using stack = new AsyncDisposableStack();
	await mkdir(directory, {recursive: true});
	// What a box has as its operating system: it is found by every slot below.
	await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
	const tree = join(directory, 'factory');
	await buildTree({directory: tree, release: factoryRelease});
	const services: Service[] = [];
	for (const [index, {deviceId, isFragile}] of updateBoxes.entries()) {
		const box = join(directory, deviceId);
		const slots = join(box, 'slots');
		await cp(tree, join(slots, 'slot-a'), {recursive: true});
		await provisionSlots({root: slots, release: factoryRelease, signal});
		const config = join(box, 'box.yaml');
		await writeFile(
			config,
			stringify({
				version: 1,
				box: {id: deviceId, kind: 'stb', stateDirectory: join(box, 'state')},
				supervisor: {listen: {host: '127.0.0.1', port: await freeTcpPort(firstPort + 2 * index)}},
				fleet: {
					...{claimFile: claimFileOf(deviceId), model: 'demo', sampleIntervalMs: 5000},
					installer: {kind: 'directory', directory: slots},
				},
				stb: {
					receive,
					cache: {budgetBytes: isFragile ? fragileBudgetBytes : sturdyBudgetBytes},
					serve: {listen: {host: '127.0.0.1', port: await freeTcpPort(firstPort + 2 * index + 1)}, dataPlane: 'node'},
				},
			}),
		);
		const loader = join(root, 'ota/slot/directory/launch-slots.ts');
		const service = stack.use(
			startService(
				{
					name: deviceId,
					command: process.execPath,
					args: [loader, '--root', slots, '--config', config],
					workingDirectory: root,
					readiness: {kind: 'message'},
					...{startTimeoutMs, stopTimeoutMs},
				},
				{logger, signal: AbortSignal.any([])},
			),
		);
		services.push(service);
	}
	const limit = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]);
	await Promise.all(services.map((service) => service.ready({signal: limit})));
	const owned = stack.move();
	return {
		pids: () => services.flatMap((service) => service.snapshot().pid ?? []),
		[Symbol.asyncDispose]: async () => {
			await Promise.all(services.map((service) => service.stop()));
			await owned.disposeAsync();
		},
	};
};
