import {mkdir, rmdir, stat} from 'node:fs/promises';
import path from 'node:path';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {toolText} from '#appliance/diagnostics/run-tool.ts';
import {errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {StickPartition} from '#image/stick/find-sticks.ts';
import {putIntoState, stateFolder} from '#image/stick/state-files.ts';
import {takeRelease} from '#image/stick/take-release.ts';
import {takeSeed} from '#image/stick/take-seed.ts';
import {type BroughtReport, broughtReportsName, readReports, reportsText} from '#ota/member/brought-release.ts';

const outputBytesMax = 64 * 1024;
const reasonCharsMax = 1024;

/** What is on a stick and none of the box's business may not become so: no programs, no devices, nothing written. */
const mountOptions = 'ro,nosuid,nodev,noexec,nosymfollow';

/** Where on a stick a box looks; everything else on it is its owner's. */
export const stickFolder = 'streamverse';

export type TakeStickOptions = {
	readonly kind: BoxKind;
	/** Of the box's file: what bundles say that are for this hardware. */
	readonly compatible: string;
	/** Of the box's file; what is put there belongs to the owner of what it lies in. */
	readonly stateDirectory: string;
	/** Of the box's file: where a claim is brought. */
	readonly claimFile: string;
	/** Where root keeps whose the box is, whatever becomes of its claim. */
	readonly anchorPath: string;
	/** Where the first boot looks for a seed besides the EFI system partition. */
	readonly seedRoot: string;
	/** Why nothing that this box keeps can be read, if so. */
	readonly stateLost: string | undefined;
	/** An empty place below which a stick is mounted for a moment. */
	readonly mountDirectory: string;
	readonly nowMs: () => number;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

/**
 * Looks at one partition, and takes what is meant for this box: a seed while it is nobody's yet, and a release that the
 * fleet's release key has signed. The release is only carried in: the agent judges it as it would an order of the fleet.
 */
export const takeStick = async (partition: StickPartition, options: TakeStickOptions): Promise<void> => {
	const {mountDirectory, logger, signal} = options;
	await mkdir(mountDirectory, {recursive: true, mode: 0o700});
	const tool = {bytesMax: outputBytesMax, signal};
	await toolText('mount', {
		args: ['--types', partition.fileSystem, '--options', mountOptions, partition.path, mountDirectory],
		...tool,
	});
	try {
		await takeFolder(path.join(mountDirectory, stickFolder), options);
	} finally {
		// Not with the signal: it may be what ended the work.
		const left = {bytesMax: outputBytesMax, signal: AbortSignal.timeout(unmountTimeoutMs)};
		await toolText('umount', {args: ['--lazy', mountDirectory], ...left}).catch((error: unknown) =>
			logger.warn({err: error}, 'the stick stays mounted until the next boot'),
		);
		await rmdir(mountDirectory).catch(() => undefined);
	}
};

const unmountTimeoutMs = 10_000;

/** The folder of a stick that is mounted, or of whatever else; without a mount, as a test has it. */
export const takeFolder = async (folder: string, options: TakeStickOptions): Promise<void> => {
	const {stateDirectory, logger, nowMs} = options;
	const isThere = await stat(folder).then(
		(facts) => facts.isDirectory(),
		() => false,
	);
	if (!isThere) {
		return;
	}
	const reasons: Reason[] = [];
	const attempt = async (
		what: string,
		take: () => Promise<'none' | 'taken'>,
	): Promise<'none' | 'taken' | 'refused'> => {
		try {
			return await take();
		} catch (error) {
			options.signal.throwIfAborted();
			logger.warn({err: error, what}, 'what is on the stick is refused');
			const message = `${what}: ${errorMessage(error)}`.slice(0, reasonCharsMax);
			reasons.push({code: (errorCode(error) ?? 'STICK_UNREADABLE').slice(0, 64), message});
			return 'refused';
		}
	};
	const report: BroughtReport = {
		version: 1,
		atMs: nowMs(),
		seed: await attempt('the seed', async () => await takeSeed(folder, options)),
		release: await attempt('the release', async () => await takeRelease(folder, options)),
		reasons,
	};
	if (report.seed === 'none' && report.release === 'none') {
		return;
	}
	logger.info(report, 'a stick was looked at');
	const earlier = await readReports(await stateFolder(stateDirectory)).catch((error: unknown) => {
		logger.warn({err: error}, 'what was on a stick before is forgotten');
		return [];
	});
	await putIntoState(stateDirectory, broughtReportsName, reportsText([...earlier, report]));
};
