import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {cp, mkdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import type {Claim} from '#appliance/identity/claim-schema.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {buildTree} from '#demo/update/build-tree.ts';
import {createdClaimsSchema} from '#ota/contract/claim-api.ts';
import {createRelease, readReleaseDirectory, signatureName} from '#ota/release/create-release.ts';
import {packTree} from '#ota/release/pack-tree.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {type BootRecord, readBootRecord} from '#ota/slot/directory/boot-record.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import {freePort} from '#test/helper/free-port.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const stopTimeoutMs = 15_000;
export const factoryRelease = '1.0.0';

/** A place for releases and boxes: the product's own software as the factory flashes it, and as releases change it. */
export type SlotWorkshop = {
	readonly directory: string;
	/** A signed release of this checkout; `plant` stands before everything else in the role's main file. */
	readonly makeRelease: (
		release: string,
		options?: {readonly plant?: string},
	) => Promise<{readonly directory: string; readonly bundleBytes: number; readonly sha256: string}>;
};

export type SlotBox = {
	readonly id: string;
	readonly stateDirectory: string;
	/** Of the role. */
	readonly serveUrl: string;
	readonly bootRecord: () => Promise<BootRecord>;
	/** To the launcher alone, as a boot loader that hangs. */
	readonly signalLauncher: (signal: NodeJS.Signals) => void;
	readonly output: () => string;
};

export const withSlotWorkshop = async (
	t: ExecutionContext,
	{keyDirectory}: {readonly keyDirectory: string},
): Promise<SlotWorkshop> => {
	const directory = await withDirectory(t);
	// What a box has as its operating system: it is found by every slot below.
	await symlink(join(repository, 'node_modules'), join(directory, 'node_modules'));
	const signal = AbortSignal.timeout(120_000);
	await buildTree({directory: join(directory, 'factory'), release: factoryRelease});
	return {
		directory,
		makeRelease: async (version, {plant = ''} = {}) => {
			const [tree, target] = [join(directory, `tree-${version}`), join(directory, `release-${version}`)];
			await cp(join(directory, 'factory'), tree, {recursive: true});
			await edit(join(tree, 'package.json'), (text) => text.replace(`"${factoryRelease}"`, `"${version}"`));
			await edit(join(tree, 'stb', 'main.ts'), (text) => `${plant}\n${text}`);
			const bundlePath = join(directory, `${version}.tar`);
			await packTree(tree, {bundlePath, signal});
			const {manifest} = await createRelease({
				...{directory: target, release: releaseVersionSchema.parse(version), notes: 'Of a test.', signal},
				bundles: [{kind: 'stb', compatible: 'generic', format: 'directory', path: bundlePath}],
			});
			const {manifest: bytes} = await readReleaseDirectory(target);
			const signature = await signRelease({
				manifest: bytes,
				certificatePem: await readFile(join(keyDirectory, 'release.pem'), 'utf8'),
				keyPem: await readFile(join(keyDirectory, 'release-key.pem'), 'utf8'),
			});
			await writeFile(join(target, signatureName), signature);
			await rm(tree, {recursive: true});
			const [bundle] = manifest.bundles;
			return {directory: target, bundleBytes: bundle?.sizeBytes ?? 0, sha256: bundle?.sha256 ?? ''};
		},
	};
};

const edit = async (path: string, change: (text: string) => string): Promise<void> =>
	await writeFile(path, change(await readFile(path, 'utf8')));

/** The claim file of a box, as a person would make it in the console. */
export const claimOf = async (fleet: TestFleet, id: string, kind: BoxKind = 'stb'): Promise<Claim> => {
	const {body} = await fleet.call('POST /claims', {deviceIds: [id], kind});
	const [created] = createdClaimsSchema.parse(body).items;
	if (created === undefined) {
		throw new Error(`no claim was made for ${id}`);
	}
	return created.file;
};

/** A set-top as it leaves the factory, switched on: launcher, supervisor and role are processes of their own. */
export const withSlotBox = async (
	t: ExecutionContext,
	workshop: SlotWorkshop,
	options: {
		readonly id: string;
		readonly claim: Claim;
		/** The `stb:` section, but for where it serves. */
		readonly section: Readonly<Record<string, unknown>>;
	},
): Promise<SlotBox> => {
	const {id, claim, section} = options;
	const box = join(workshop.directory, id);
	const [slots, config, claimFile] = [join(box, 'slots'), join(box, 'box.yaml'), join(box, 'claim-file.json')];
	await mkdir(box);
	await cp(join(workshop.directory, 'factory'), join(slots, 'slot-a'), {recursive: true});
	await provisionSlots({root: slots, release: factoryRelease, signal: AbortSignal.timeout(10_000)});
	await writeFile(claimFile, JSON.stringify(claim));
	const [port, statusPort] = [await freePort(), await freePort()];
	await writeFile(
		config,
		stringify({
			version: 1,
			box: {id, kind: 'stb', stateDirectory: join(box, 'state')},
			supervisor: {listen: {host: '127.0.0.1', port: statusPort}, restartDelayMinMs: 100},
			fleet: {claimFile, installer: {kind: 'directory', directory: slots}},
			stb: {...section, serve: {listen: {host: '127.0.0.1', port}, dataPlane: 'node'}},
		}),
	);
	const launcher = join(repository, 'ota/slot/directory/launch-slots.ts');
	// A group of its own, so that nothing of the box outlives the test.
	const child = spawn(process.execPath, [launcher, '--root', slots, '--config', config], {
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
		detached: true,
	});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream?.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
	}
	const ended = once(child, 'exit');
	t.teardown(async () => {
		const pid = child.pid ?? 0;
		for (const signal of ['SIGCONT', 'SIGTERM', 'SIGKILL'] as const) {
			if (isProcessAlive(pid)) {
				process.kill(-pid, signal);
				await (signal === 'SIGCONT' ? undefined : Promise.race([ended, sleep(stopTimeoutMs)]));
			}
		}
	});
	return {
		...{id, stateDirectory: join(box, 'state'), serveUrl: `http://127.0.0.1:${port}`},
		bootRecord: () => readBootRecord(slots),
		signalLauncher: (signal) => child.kill(signal),
		output: () => output,
	};
};
