import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Bundle, ReleaseManifest} from '#appliance/contract/fleet/release-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {compareReleases} from '#appliance/filter/release-order.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {OrderOrigin} from '#ota/agent/order-origin.ts';

export type JudgeFacts = {
	readonly kind: BoxKind;
	readonly compatible: string;
	readonly format: 'rauc' | 'directory';
	/** Undefined: the box does not know what it runs. */
	readonly running: string | undefined;
	/** What runs is the factory's slot: the release is installed all the same, since neither of the others came up. */
	readonly isFactory?: true | undefined;
	readonly origin: OrderOrigin;
	/** The highest release that this box has confirmed; undefined before the first. */
	readonly highest: string | undefined;
	readonly nowMs: number;
	readonly expiresMs: number | undefined;
	/** Bytes of the bundle's file system that are free, and of the bundle that are there already. */
	readonly freeBytes: number;
	readonly fetchedBytes: number;
	readonly roomReserveBytes: number;
};

export type Judgement = {readonly bundle: Bundle; readonly running: boolean};

const refuse = (code: AgentErrorCode, message: string): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>(code, {message});

/** Which bundle of a manifest (whose signature was found good) this box takes. Throws `OTA_REFUSED_…`. */
export const judgeOrder = (order: UpdateOrder, manifest: ReleaseManifest, facts: JudgeFacts): Judgement => {
	const {running, highest} = facts;
	if (facts.expiresMs !== undefined && facts.nowMs >= facts.expiresMs) {
		throw refuse('OTA_REFUSED_EXPIRED', 'The order has expired.');
	}
	if (manifest.release !== order.release) {
		const message = `The order is for ${order.release}, its manifest for ${manifest.release}.`;
		throw refuse('OTA_REFUSED_MANIFEST', message);
	}
	const bundle = pickBundle(order, manifest, facts);
	if (running === order.release && facts.isFactory !== true) {
		return {bundle, running: true};
	}
	if (running !== undefined && isBelow(order.release, running) && !order.allowDowngrade) {
		throw refuse(
			'OTA_REFUSED_DOWNGRADE',
			`${order.release} is not newer than ${running}, and the order allows no downgrade.`,
		);
	}
	// Whoever stands before a box with a stick can also cut its power until it runs an old slot.
	if (facts.origin === 'stick' && highest !== undefined && isBelow(order.release, highest)) {
		const message = `${order.release} is older than ${highest}, which this box has run: only its fleet may take it back.`;
		throw refuse('OTA_REFUSED_DOWNGRADE', message);
	}
	if (bundle.minimumRelease !== undefined && (running === undefined || isBelow(running, bundle.minimumRelease))) {
		const message = `${order.release} may follow ${bundle.minimumRelease} or newer; this box runs ${running ?? 'an unknown release'}.`;
		throw refuse('OTA_REFUSED_MINIMUM_RELEASE', message);
	}
	const neededBytes = bundle.sizeBytes - facts.fetchedBytes + facts.roomReserveBytes;
	if (neededBytes > facts.freeBytes) {
		throw refuse('OTA_REFUSED_ROOM', `The bundle needs ${neededBytes} more bytes; ${facts.freeBytes} are free.`);
	}
	return {bundle, running: false};
};

/** What has no place in the order counts as below. */
const isBelow = (release: string, other: string): boolean => (compareReleases(release, other) ?? -1) < 0;

/** Of the bundles of a release the one for this box. */
export const pickBundle = (
	order: UpdateOrder,
	manifest: ReleaseManifest,
	facts: Pick<JudgeFacts, 'kind' | 'compatible' | 'format'>,
): Bundle => {
	const ofKind = manifest.bundles.filter(({kind}) => kind === facts.kind);
	if (order.kind !== facts.kind || ofKind.length === 0) {
		throw refuse('OTA_REFUSED_WRONG_KIND', `The order is for a ${order.kind}; this is a ${facts.kind}.`);
	}
	const compatible = ofKind.filter((bundle) => bundle.compatible === facts.compatible);
	if (compatible.length === 0) {
		const made = ofKind.map((bundle) => bundle.compatible).join(', ');
		throw refuse('OTA_REFUSED_WRONG_COMPATIBLE', `The release is made for ${made}; this box is ${facts.compatible}.`);
	}
	const bundle = compatible.find(({format}) => format === facts.format);
	if (bundle === undefined) {
		throw refuse(
			'OTA_REFUSED_FORMAT',
			`The release has no bundle in the format ${facts.format}, which this box takes.`,
		);
	}
	return bundle;
};
