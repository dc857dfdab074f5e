import {createHash} from 'node:crypto';
import {open, readdir, rm} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import {
	manifestBytesMax,
	reasonSchema,
	releaseManifestSchema,
	signatureBytesMax,
} from '#appliance/contract/fleet/release-schema.ts';
import {finalUpdatePhases, type UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import type {Agent} from '#ota/agent/agent.ts';
import {manifestName} from '#ota/release/create-release.ts';

const reportBytesMax = 16 * 1024;
const attemptsMax = 2;
const minuteMs = 60_000;
/** As generous as a rollout's: a stick has no network that could be slow, and a box may be. */
const deadlines = {
	fetchMs: 60 * minuteMs,
	installMs: 60 * minuteMs,
	rebootMs: 30 * minuteMs,
	confirmMs: 30 * minuteMs,
} as const;

/** Orders of a stick are told from all others by this. */
const orderPrefix = 'stick-';

export const broughtReportName = 'report.json';
/** In base64. */
export const broughtSignatureName = 'signature.txt';
/** The digest of the last manifest that was carried in: a stick that stays where it is is taken from once. */
export const broughtDoneName = 'done';
export const broughtBundleName = (sha256: string): string => `${sha256}.bundle`;

/** What was on a stick, and what became of it; written by whoever mounted it, and told to the fleet once. */
export const broughtReportSchema = z.strictObject({
	version: z.literal(1),
	atMs: z.int(),
	seed: z.enum(['none', 'taken', 'refused']),
	release: z.enum(['none', 'taken', 'refused']),
	reasons: z.array(reasonSchema).max(8),
});
export type BroughtReport = z.infer<typeof broughtReportSchema>;

export type BroughtRelease = {
	readonly bundlePath: (sha256: string) => string | undefined;
	/** Tells the fleet of it, and has the agent judge it as it would an order of the fleet. */
	readonly offer: (parts: {
		readonly link: Pick<FleetLink, 'tellEvent'>;
		readonly agent: Pick<Agent, 'assign'> | undefined;
	}) => Promise<void>;
	/** What the agent tells of its work: when it has done with a release from a stick, its room is given back. */
	readonly ended: (status: UpdateStatus) => void;
};

/** A release that came on a stick and lies on the box now, with its signature, which nobody has believed yet. */
export const openBroughtRelease = async (options: {
	/** `<stateDirectory>/stick`. */
	readonly directory: string;
	readonly kind: BoxKind;
	readonly logger: Logger;
}): Promise<BroughtRelease> => {
	const {directory, kind, logger} = options;
	const names: ReadonlySet<string> = new Set(await readdir(directory).catch(() => []));
	return {
		bundlePath: (sha256) => {
			const name = broughtBundleName(sha256);
			return names.has(name) ? path.join(directory, name) : undefined;
		},
		offer: async ({link, agent}) => {
			await tellReport(directory, {link, logger});
			try {
				const order = await readOrder(directory, kind);
				if (order !== undefined) {
					agent?.assign(order, {origin: 'stick'});
				}
			} catch (error) {
				logger.warn({err: error}, 'what a stick brought is no release');
				const reason = {code: 'OTA_REFUSED_MANIFEST', message: errorMessage(error).slice(0, 1024)};
				link.tellEvent({kind: 'note', data: {by: 'stick', release: 'refused', reasons: [reason]}}, 'warning');
				await removeRelease(directory).catch((cause: unknown) => logger.warn({err: cause}, 'it stays'));
			}
		},
		ended: ({orderId, phase}) => {
			if (orderId?.startsWith(orderPrefix) && endPhases.has(phase)) {
				void removeRelease(directory).catch((error: unknown) =>
					logger.warn({err: error}, 'a release from a stick cannot be removed'),
				);
			}
		},
	};
};

const endPhases: ReadonlySet<string> = new Set(finalUpdatePhases);

const removeRelease = async (directory: string): Promise<void> => {
	for (const name of await readdir(directory)) {
		if (name !== broughtDoneName) {
			await rm(path.join(directory, name), {force: true});
		}
	}
};

const tellReport = async (
	directory: string,
	{link, logger}: {readonly link: Pick<FleetLink, 'tellEvent'>; readonly logger: Logger},
): Promise<void> => {
	const file = path.join(directory, broughtReportName);
	try {
		const text = await readBounded(file, reportBytesMax);
		if (text === undefined) {
			return;
		}
		const {version: _, ...report} = broughtReportSchema.parse(JSON.parse(text.toString('utf8')));
		link.tellEvent({kind: 'note', data: {by: 'stick', ...report}}, report.reasons.length > 0 ? 'warning' : 'info');
	} catch (error) {
		logger.warn({err: error}, 'what was on a stick cannot be told');
	}
	await rm(file, {force: true});
};

/** Named by its manifest, so that the same release from the same stick is done once. */
const readOrder = async (directory: string, kind: BoxKind): Promise<UpdateOrder | undefined> => {
	const manifest = await readBounded(path.join(directory, manifestName), manifestBytesMax);
	const signature = await readBounded(path.join(directory, broughtSignatureName), 2 * signatureBytesMax);
	if (manifest === undefined || signature === undefined) {
		return undefined;
	}
	const {release} = releaseManifestSchema.parse(JSON.parse(manifest.toString('utf8')));
	return {
		orderId: `${orderPrefix}${createHash('sha256').update(manifest).digest('hex').slice(0, 32)}`,
		...{release, kind, manifest: manifest.toString('utf8'), signature: signature.toString('latin1')},
		...{sources: [], byteBudgetBytes: 0, attemptsMax, deadlines, allowDowngrade: false},
	};
};

const readBounded = async (file: string, bytesMax: number): Promise<Buffer | undefined> => {
	try {
		await using handle = await open(file);
		const {size} = await handle.stat();
		if (size > bytesMax) {
			throw new RangeError(`${path.basename(file)} has ${size} bytes, and may have ${bytesMax}.`);
		}
		return await handle.readFile();
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	}
};
