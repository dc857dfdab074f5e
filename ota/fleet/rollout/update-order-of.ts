import {type UpdateOrder, updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import type {Bundle, ReleaseManifest} from '#appliance/contract/fleet/release-schema.ts';
import type {RolloutSpec} from '#ota/contract/rollout-api.ts';
import type {StoredRelease} from '#ota/fleet/release/release-repository.ts';
import {orderIdOf} from '#ota/fleet/rollout/order-id.ts';
import {rolloutError} from '#ota/fleet/rollout/rollout-error.ts';

export type OrderPlaces = {
	/** The listener of boxes, `https://…` without a path. */
	readonly deviceUrl: string;
	/** `http://dvb.gw/<operator>/`: what objects of the catalogue are called; undefined where there is no carousel. */
	readonly objectBaseUri: string | undefined;
};

/** Times that a box tries on its own before it says that it failed. */
const boxAttemptsMax = 3;
/** Without a budget of its own: what a broken incremental fetch may cost, and not twice the bundle. */
const budgetFactor = 1.5;

/** The bundle of a release that a rollout means. */
export const bundleOf = (
	{bundles}: ReleaseManifest,
	{kind, compatible}: Pick<RolloutSpec, 'kind' | 'compatible'>,
): Bundle => {
	const fitting = bundles.filter(
		(bundle) => bundle.kind === kind && (compatible === undefined || bundle.compatible === compatible),
	);
	const [bundle, ...more] = fitting;
	if (bundle === undefined) {
		throw rolloutError('OTA_ROLLOUT_BUNDLE_MISSING', {
			status: 422,
			message: `The release has no bundle for ${kind}${compatible === undefined ? '' : ` (${compatible})`}.`,
		});
	}
	if (more.length > 0) {
		throw rolloutError('OTA_ROLLOUT_BUNDLE_AMBIGUOUS', {
			status: 422,
			message: `The release has several bundles for ${kind}: name one of ${fitting.map((each) => each.compatible).join(', ')}.`,
		});
	}
	return bundle;
};

/** The order that every box of a rollout is given at its n-th attempt: one body for all. */
export const updateOrderOf = (
	rollout: {readonly id: string; readonly spec: RolloutSpec; readonly attempt: number},
	{release, places}: {readonly release: StoredRelease; readonly places: OrderPlaces},
): UpdateOrder => {
	const {id, spec, attempt} = rollout;
	const bundle = bundleOf(release.manifest, spec);
	const {fetchMs, installMs, rebootMs, confirmMs} = spec.deadlines;
	return updateOrderSchema.parse({
		orderId: orderIdOf(id, attempt),
		release: release.release,
		kind: spec.kind,
		manifest: Buffer.from(release.signedManifest, 'base64').toString('utf8'),
		signature: release.signature,
		sources: sourcesOf(spec, bundle, places),
		byteBudgetBytes: spec.byteBudgetBytes ?? Math.ceil(bundle.sizeBytes * budgetFactor),
		attemptsMax: boxAttemptsMax,
		...(spec.windows === null ? {} : {windows: spec.windows}),
		deadlines: {fetchMs, installMs, rebootMs, confirmMs},
		allowDowngrade: spec.allowDowngrade,
	});
};

/** The carousel first: its bytes cost nothing. */
export const sourcesOf = (
	{sources}: RolloutSpec,
	bundle: Bundle,
	{deviceUrl, objectBaseUri}: OrderPlaces,
): readonly UpdateOrder['sources'][number][] => {
	const artifactUrl = (sha256: string): string => `${deviceUrl.replace(/\/+$/u, '')}/artifact/${sha256}`;
	return [
		...(sources.carouselWaitMs === null || objectBaseUri === undefined
			? []
			: [
					{
						kind: 'carousel' as const,
						objectUri: `${objectBaseUri}release/${bundle.sha256}`,
						waitMs: sources.carouselWaitMs,
					},
				]),
		...(sources.blocks && bundle.blocks !== undefined
			? [{kind: 'blocks' as const, url: artifactUrl(bundle.blocks.sha256)}]
			: []),
		...(sources.https ? [{kind: 'https' as const, url: artifactUrl(bundle.sha256)}] : []),
	];
};
