import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {runTool} from '#appliance/diagnostics/run-tool.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import {flashError} from '#image/flash/flash-error.ts';
import {efiSystemType, type Partition} from '#image/flash/partition-table.ts';
import {type Seed, seedBytesMax, seedPath, seedSchema} from '#image/seed/seed-schema.ts';

const toolTimeoutMs = 60_000;

/**
 * Puts the seed into the EFI system partition of a disk, and reads it back. The kernel need not know the partitions yet.
 * @throws CodedError FLASH_SEED_INVALID, FLASH_SEED_FAILED, FLASH_TOOL_MISSING
 */
export const writeSeed = async (
	devicePath: string,
	{
		seed,
		partitions,
		signal,
	}: {readonly seed: Seed; readonly partitions: readonly Partition[]; readonly signal: AbortSignal},
): Promise<void> => {
	const text = seedText(seed);
	const esp = partitions.find(({typeGuid}) => typeGuid === efiSystemType);
	if (esp === undefined) {
		throw flashError('FLASH_SEED_FAILED', `${devicePath} has no EFI system partition for the seed.`);
	}
	const image = `${devicePath}@@${esp.firstByte}`;
	const folder = path.dirname(seedPath);
	const directory = await mkdtemp(path.join(tmpdir(), 'streamverse-seed-'));
	try {
		const file = path.join(directory, 'seed.json');
		// It may hold a token, so nobody else reads it.
		await writeFile(file, text, {mode: 0o600});
		await runMtool('mmd', ['-D', 's', '-i', image, `::${folder}`], signal).catch((error: unknown) => {
			// The folder is there already; when it is something else, copying into it fails.
			if (!hasCode(error, 'FLASH_SEED_FAILED')) {
				throw error;
			}
		});
		await runMtool('mcopy', ['-o', '-i', image, file, `::${seedPath}`], signal);
		const back = await runMtool('mtype', ['-i', image, `::${seedPath}`], signal);
		if (back !== text) {
			throw flashError('FLASH_SEED_FAILED', `The seed that is on ${devicePath} is not the one that was written.`);
		}
	} finally {
		await rm(directory, {recursive: true, force: true});
	}
};

/** The seed as it will lie on the disk, so that it can be refused before a disk is touched. */
export const seedText = (seed: Seed): string => {
	const result = seedSchema.safeParse(seed);
	const text = `${JSON.stringify(seed, undefined, '\t')}\n`;
	if (!result.success || Buffer.byteLength(text) > seedBytesMax) {
		const why = result.success ? `it has more than ${seedBytesMax} bytes` : result.error.issues[0]?.message;
		const at = result.error?.issues[0]?.path.join('.') ?? '';
		throw flashError('FLASH_SEED_INVALID', `The seed is wrong${at === '' ? '' : ` at ${at}`}: ${why}.`);
	}
	return text;
};

const runMtool = async (tool: string, args: readonly string[], signal: AbortSignal): Promise<string> => {
	const deadline = AbortSignal.any([signal, AbortSignal.timeout(toolTimeoutMs)]);
	const environment = {MTOOLSRC: '/dev/null', MTOOLS_SKIP_CHECK: '1'};
	const run = await runTool(tool, {args, bytesMax: 2 * seedBytesMax, signal: deadline, environment}).catch(
		(cause: unknown) => {
			throw hasCode(cause, 'DIAGNOSTICS_NOT_HERE')
				? flashError('FLASH_TOOL_MISSING', `This computer has no ${tool}; install mtools.`, {cause})
				: cause;
		},
	);
	if (run.exitCode !== 0) {
		throw flashError('FLASH_SEED_FAILED', `The seed cannot be written (${tool}: ${run.errorText.trim()}).`);
	}
	return run.output.toString('utf8');
};

/** @throws CodedError FLASH_TOOL_MISSING before anything is written, so that no disk is left without its seed. */
export const requireSeedTools = async (signal: AbortSignal): Promise<void> => {
	await runMtool('mtools', ['--version'], signal);
};
