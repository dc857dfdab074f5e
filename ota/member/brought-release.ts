import {readdir, rm} from 'node:fs/promises';
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
import type {UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {readSmall} from '#appliance/store/read-small.ts';
import type {Agent} from '#ota/agent/agent.ts';
import {
	broughtEndSchema,
	broughtEndsName,
	isOf,
	isWorthAnother,
	lastEnd,
	nextOrderId,
	noteEnd,
	readEnds,
} from '#ota/member/brought-ends.ts';
import {manifestName} from '#ota/release/create-release.ts';

/** As many as a boot looks at partitions; of more, which nobody could be told of, the first are forgotten. */
const reportsMax = 8;
const reportsBytesMax = 128 * 1024;
const attemptsMax = 2;
const minuteMs = 60_000;
/** As generous as a rollout's: a stick has no network that could be slow, and a box may be. */
const deadlines = {
	fetchMs: 60 * minuteMs,
	installMs: 60 * minuteMs,
	rebootMs: 30 * minuteMs,
	confirmMs: 30 * minuteMs,
} as const;

export const broughtReportsName = 'reports.json';
/** In base64. */
export const broughtSignatureName = 'signature.txt';
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

/** One for each stick that was looked at since the fleet was told last. */
export const readReports = async (directory: string): Promise<readonly BroughtReport[]> => {
	const text = await readSmall(path.join(directory, broughtReportsName), reportsBytesMax);
	return text === undefined ? [] : z.array(broughtReportSchema).parse(JSON.parse(text.toString('utf8')));
};

export const reportsText = (reports: readonly BroughtReport[]): string =>
	`${JSON.stringify(reports.slice(-reportsMax))}\n`;

export type BroughtRelease = {
	readonly bundlePath: (sha256: string) => string | undefined;
	/** Tells the fleet of it, and has the agent judge it as it would an order of the fleet. */
	readonly offer: (parts: {
		readonly link: Pick<FleetLink, 'tellEvent'>;
		readonly agent: Pick<Agent, 'assign' | 'status'> | undefined;
	}) => Promise<void>;
	/** What the agent tells of its work: when it has done with a release from a stick, its room is given back. */
	readonly ended: (status: UpdateStatus) => void;
};

/**
 * A release that came on a stick and lies on the box now, with its signature, which nobody has believed yet. It lies there
 * until its order has ended, and how it ended tells whoever mounts the stick again whether to bring it again.
 */
export const openBroughtRelease = async (options: {
	/** `<stateDirectory>/stick`. */
	readonly directory: string;
	readonly kind: BoxKind;
	readonly logger: Logger;
}): Promise<BroughtRelease> => {
	const {directory, kind, logger} = options;
	const names: ReadonlySet<string> = new Set(await readdir(directory).catch(() => []));
	// One after the other, so that no try is begun from what the last one leaves behind.
	let work: Promise<void> = Promise.resolve();
	const end = (status: UpdateStatus): Promise<void> => {
		work = work
			.then(async () => await endTry(directory, status))
			.catch((error: unknown) => logger.warn({err: error}, 'a release from a stick cannot be put away'));
		return work;
	};
	return {
		bundlePath: (sha256) => {
			const name = broughtBundleName(sha256);
			return names.has(name) ? path.join(directory, name) : undefined;
		},
		offer: async ({link, agent}) => {
			await tellReports(directory, {link, logger});
			// The box may have lost its power before it was noted.
			await (agent === undefined ? work : end(agent.status()));
			try {
				const order = await readOrder(directory, kind);
				if (order === undefined) {
					await removeRelease(directory);
				} else {
					agent?.assign(order, {origin: 'stick'});
				}
			} catch (error) {
				logger.warn({err: error}, 'what a stick brought is no release');
				const reason = {code: 'OTA_REFUSED_MANIFEST', message: errorMessage(error).slice(0, 1024)};
				link.tellEvent({kind: 'note', data: {by: 'stick', release: 'refused', reasons: [reason]}}, 'warning');
				await removeRelease(directory).catch((cause: unknown) => logger.warn({err: cause}, 'it stays'));
			}
		},
		ended: (status) => {
			void end(status);
		},
	};
};

/** Notes the end of a try, once, and takes away what it was about. */
const endTry = async (directory: string, {orderId, phase, reason}: UpdateStatus): Promise<void> => {
	const {data: end} = broughtEndSchema.safeParse({orderId, phase, reason});
	if (end === undefined || (await readEnds(directory)).some((noted) => noted.orderId === end.orderId)) {
		return;
	}
	const manifest = await readSmall(path.join(directory, manifestName), manifestBytesMax);
	const isCarried = manifest !== undefined && isOf(end, manifest);
	if (isCarried) {
		// A full disk may be why it ended, and then there is no room for the note before. As long as the manifest lies
		// there, the release counts as under way.
		await removeRelease(directory, {except: [manifestName]});
	}
	await noteEnd(directory, end);
	if (isCarried) {
		await removeRelease(directory);
	}
};

/** All that is not to outlast a release; the manifest first, without which the rest is nothing. */
export const removeRelease = async (
	directory: string,
	{except = []}: {readonly except?: readonly string[]} = {},
): Promise<void> => {
	const kept = [broughtReportsName, broughtEndsName, ...except];
	const names = [manifestName, ...(await readdir(directory).catch(() => []))];
	for (const name of names.filter((other) => !kept.includes(other))) {
		await rm(path.join(directory, name), {recursive: true, force: true});
	}
};

const tellReports = async (
	directory: string,
	{link, logger}: {readonly link: Pick<FleetLink, 'tellEvent'>; readonly logger: Logger},
): Promise<void> => {
	try {
		for (const {version: _, ...report} of await readReports(directory)) {
			link.tellEvent({kind: 'note', data: {by: 'stick', ...report}}, report.reasons.length > 0 ? 'warning' : 'info');
		}
	} catch (error) {
		logger.warn({err: error}, 'what was on a stick cannot be told');
	}
	await rm(path.join(directory, broughtReportsName), {force: true});
};

const readOrder = async (directory: string, kind: BoxKind): Promise<UpdateOrder | undefined> => {
	const manifest = await readSmall(path.join(directory, manifestName), manifestBytesMax);
	const signature = await readSmall(path.join(directory, broughtSignatureName), 2 * signatureBytesMax);
	if (manifest === undefined || signature === undefined) {
		return undefined;
	}
	const last = await lastEnd(directory, manifest);
	if (last !== undefined && !isWorthAnother(last)) {
		return undefined;
	}
	const {release} = releaseManifestSchema.parse(JSON.parse(manifest.toString('utf8')));
	return {
		orderId: nextOrderId(manifest, last),
		...{release, kind, manifest: manifest.toString('utf8'), signature: signature.toString('latin1')},
		...{sources: [], byteBudgetBytes: 0, attemptsMax, deadlines, allowDowngrade: false},
	};
};
