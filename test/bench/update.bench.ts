import {mkdir, mkdtemp, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {projectRoot} from '#native/project-root.ts';
import type {Bench, BenchRow} from '#test/bench/bench-row.ts';
import {buildVariants, type Variant} from '#test/bench/update/build-variants.ts';
import {fetchCost} from '#test/bench/update/fetch-cost.ts';
import {raucCostBytes} from '#test/bench/update/rauc-cost.ts';

/** Of the whole bundle. */
const bars = {code: 0.02, package: 0.05} as const;
const megabyte = 1e6;

/**
 * What an update costs a box that was flashed with the release before, and never updated: bytes that a server sends to the
 * box's own agent, against the whole bundle, and against what RAUC's adaptive mode would have to fetch at least. That mode
 * is computed from the images: installing needs device-mapper. `full` is a release of which the box has nothing.
 */
export const run: Bench = async ({signal, progress}) => {
	const parent = path.join(projectRoot, 'build');
	await mkdir(parent, {recursive: true});
	const directory = await mkdtemp(path.join(parent, 'bench-update-'));
	try {
		const {base, code, older} = await buildVariants({directory, signal, progress});
		const rest = {directory, signal, progress};
		const rows: BenchRow[] = [];
		rows.push(...(await measure('code', {base, next: code, ...rest})));
		rows.push(...(await measure('package', {base: older, next: base, ...rest})));
		rows.push(...(await measure('full', {base: undefined, next: code, ...rest})));
		return rows;
	} finally {
		await rm(directory, {recursive: true, force: true});
	}
};

const measure = async (
	name: 'code' | 'package' | 'full',
	options: {
		readonly base: Variant | undefined;
		readonly next: Variant;
		readonly directory: string;
		readonly signal: AbortSignal;
		readonly progress: (line: string) => void;
	},
): Promise<readonly BenchRow[]> => {
	const {base, next, directory, signal, progress} = options;
	progress(`fetching ${name}`);
	const work = path.join(directory, `fetch-${name}`);
	await mkdir(work);
	const {bundlePath} = next;
	const wholeBytes = (await stat(bundlePath)).size;
	const local = base === undefined ? [] : Object.values(base.images);
	const cost = await fetchCost({bundlePath, local, directory: work, signal});
	await rm(work, {recursive: true});
	progress(`${name}: ${cost.requests} requests, a list of ${cost.listBytes} bytes`);
	const raucBytes = await raucCostBytes(base?.images, next.images);
	const bar = name === 'full' ? undefined : bars[name];
	const ratio = cost.sentBytes / wholeBytes;
	const reference = `the whole bundle of ${(wholeBytes / megabyte).toFixed(1)} MB (less is better)`;
	return [
		{
			...{name: `update.${name}`, value: cost.sentBytes / megabyte, unit: 'MB', ratio, reference},
			...(bar === undefined ? {} : {bar, pass: ratio <= bar}),
		},
		{name: `update.${name}.rauc`, value: raucBytes / megabyte, unit: 'MB', ratio: raucBytes / wholeBytes, reference},
	];
};
