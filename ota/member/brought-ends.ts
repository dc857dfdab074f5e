import {createHash} from 'node:crypto';
import path from 'node:path';
import {z} from 'zod';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {finalUpdatePhases} from '#appliance/contract/fleet/update-schema.ts';
import {readSmall} from '#appliance/store/read-small.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';

/** More releases than the sticks of one boot can bring: forgotten sooner, two of them would be tried in turns for ever. */
const endsMax = 16;
const endsBytesMax = 256 * 1024;

export const broughtEndsName = 'ended.json';

/** An order of a stick is named by its manifest and, from the second try on, by the number of the try. */
const orderPattern = /^(stick-[0-9a-f]{32})(?:-(\d{1,9}))?$/u;
const orderName = (manifest: Uint8Array): string =>
	`stick-${createHash('sha256').update(manifest).digest('hex').slice(0, 32)}`;
const nameOf = ({orderId}: Pick<BroughtEnd, 'orderId'>): string | undefined => orderPattern.exec(orderId)?.[1];

/** How the last try of a release from a stick ended. */
export const broughtEndSchema = z.strictObject({
	orderId: z.string().regex(orderPattern),
	phase: z.enum(finalUpdatePhases),
	reason: reasonSchema.optional(),
});
export type BroughtEnd = z.infer<typeof broughtEndSchema>;

/**
 * Failures after which the same release from the same stick is tried again, once at each boot: the release was never
 * booted, and its cause may be gone by then, such as a full disk, a damaged copy, lost power, an order of the fleet that
 * came first, or a clock that stood before the certificates. All else stays as it is for as long as a stick may stay where
 * it is: what is refused would be refused again, and a release that fell back, or that may have, would take the box from
 * its viewers at each boot.
 */
const passing: ReadonlySet<string> = new Set<AgentErrorCode>([
	'OTA_REFUSED_ROOM',
	'OTA_REFUSED_STORE',
	'OTA_FAILED_ABORTED',
	'OTA_FAILED_FETCH',
	'OTA_FAILED_FETCH_DEADLINE',
	'OTA_FAILED_DIGEST',
	'OTA_FAILED_ROOM',
	'OTA_FAILED_STORE',
	'OTA_FAILED_BUNDLE_DAMAGED',
	'OTA_FAILED_BUNDLE_SIGNATURE',
	'OTA_FAILED_INSTALL',
	'OTA_FAILED_INSTALL_DEADLINE',
	'OTA_FAILED_INTERRUPTED',
	'OTA_FAILED_REBOOT',
]);

export const isWorthAnother = ({phase, reason}: BroughtEnd): boolean =>
	(phase === 'failed' || phase === 'refused') && reason !== undefined && passing.has(reason.code);

export const isOf = (end: BroughtEnd, manifest: Uint8Array): boolean => nameOf(end) === orderName(manifest);

/** The name of the next try: what has ended under a name is never begun again under it. */
export const nextOrderId = (manifest: Uint8Array, last: BroughtEnd | undefined): string =>
	last === undefined
		? orderName(manifest)
		: `${orderName(manifest)}-${Number(orderPattern.exec(last.orderId)?.[2] ?? 1) + 1}`;

/** Unreadable is as none: the agent has a memory of its own for what it must not begin again. */
export const readEnds = async (directory: string): Promise<readonly BroughtEnd[]> => {
	try {
		const text = await readSmall(path.join(directory, broughtEndsName), endsBytesMax);
		return text === undefined ? [] : z.array(broughtEndSchema).parse(JSON.parse(text.toString('utf8')));
	} catch {
		return [];
	}
};

/** How the last try of a release ended; undefined when there was none. */
export const lastEnd = async (directory: string, manifest: Uint8Array): Promise<BroughtEnd | undefined> =>
	(await readEnds(directory)).find((end) => isOf(end, manifest));

/** The last end of each release stands for all of its tries. */
export const noteEnd = async (directory: string, end: BroughtEnd): Promise<void> => {
	const others = (await readEnds(directory)).filter((other) => nameOf(other) !== nameOf(end));
	const ends = [...others, end].slice(-endsMax);
	await writeDurably(path.join(directory, broughtEndsName), `${JSON.stringify(ends)}\n`, {mode: 0o600});
};
