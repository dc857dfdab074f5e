import {z} from 'zod';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {maintenanceWindowSchema} from '#appliance/contract/fleet/order-schema.ts';
import {reasonSchema, releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {updatePhaseSchema} from '#appliance/contract/fleet/update-schema.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

export const rolloutGroupsMax = 32;
export const rolloutIdSchema = z.string().regex(/^[a-z0-9]{12}$/u);

const durationMs = z
	.int()
	.min(1000)
	.max(30 * 86_400_000);
const percent = z.number().min(0).max(100);

/**
 * How large a group is. `percent` is of all boxes that the rollout matches when it is made (rounded up), `count` is a
 * number of boxes; `share` is an interval of the hash of box ids, for boxes that the fleet may not know. The last group
 * takes what is left.
 */
export const groupSizeSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('percent'), percent: z.number().gt(0).max(100)}),
	z.strictObject({kind: z.literal('count'), count: z.int().min(1).max(10_000_000)}),
	z.strictObject({kind: z.literal('share'), from: z.number().min(0).max(1), to: z.number().min(0).max(1)}),
]);
export type GroupSize = z.infer<typeof groupSizeSchema>;

export const groupSpecSchema = z.strictObject({
	name: z.string().min(1).max(64),
	size: groupSizeSchema,
	/** The next group starts when this part of the group's boxes has confirmed the release. */
	successPercent: percent.default(100),
	/** The group has failed when as many boxes failed: whichever is reached first. Null = not limited in this way. */
	errorCount: z.int().min(1).nullable().default(null),
	errorPercent: z.number().gt(0).max(100).nullable().default(10),
	errorAction: z.enum(['pause', 'abort']).default('pause'),
	/** The next group starts no earlier than this after the group did; also what waves of one-way boxes go by. */
	soakMs: z
		.int()
		.min(0)
		.max(90 * 86_400_000)
		.default(0),
});
export type GroupSpec = z.infer<typeof groupSpecSchema>;

/** Deadlines of each phase. A box is given up this long, plus `graceMs` for its report to arrive, after it entered it. */
export const rolloutDeadlinesSchema = z.strictObject({
	/** From the order until the box says that it took it; a box that is silent has failed. */
	acceptMs: durationMs.default(86_400_000),
	fetchMs: durationMs.default(86_400_000),
	/** From the begin of its maintenance window, where it has one. */
	installMs: durationMs.default(3_600_000),
	/** A box that is not heard of after its reboot went dark: it has failed. */
	rebootMs: durationMs.default(900_000),
	confirmMs: durationMs.default(1_800_000),
	graceMs: durationMs.default(600_000),
});

/** POST /rollouts (operator), and POST /rollout-preview (operator), which only tells the groups. */
export const rolloutCreateSchema = z.strictObject({
	name: z.string().min(1).max(128),
	release: releaseVersionSchema,
	kind: boxKindSchema,
	/** Of the bundle, when the release has several for this kind; absent = the only one. */
	compatible: z.string().min(1).max(128).optional(),
	/** Language of appliance/filter; beside it only boxes of `kind` that are not revoked are matched. */
	filter: z.string().max(2048).default(''),
	groups: z.array(groupSpecSchema).min(1).max(rolloutGroupsMax),
	/** Orders that are open at the same time, over all groups. */
	inFlightMax: z.int().min(1).max(1_000_000).default(500),
	startAtMs: z.int().nullable().default(null),
	/** In each box's own time zone; null = those of its site. */
	windows: z.array(maintenanceWindowSchema).min(1).max(14).nullable().default(null),
	deadlines: rolloutDeadlinesSchema.prefault({}),
	/** Unicast bytes per box, retries included. Null = one and a half times the bundle. */
	byteBudgetBytes: z.int().min(0).nullable().default(null),
	retry: z
		.strictObject({
			/** Orders that a box may be given. One that refused or rolled back gets no second. */
			attemptsMax: z.int().min(1).max(20).default(2),
			initialMs: durationMs.default(600_000),
			maxMs: durationMs.default(21_600_000),
		})
		.prefault({}),
	/** Boxes that come to match while it runs: taken (until that time, for which it stays open), or left alone. */
	lateJoiners: z
		.discriminatedUnion('kind', [
			z.strictObject({kind: z.literal('ignore')}),
			z.strictObject({kind: z.literal('join'), untilMs: z.int().nullable().default(null)}),
		])
		.default({kind: 'join', untilMs: null}),
	sources: z
		.strictObject({
			/** Waits so long for the object of the carousel; null = not by the carousel. */
			carouselWaitMs: z.int().min(0).max(604_800_000).nullable().default(null),
			blocks: z.boolean().default(true),
			https: z.boolean().default(true),
		})
		.prefault({}),
	allowDowngrade: z.boolean().default(false),
});
export type RolloutSpec = z.output<typeof rolloutCreateSchema>;
export type RolloutCreate = z.input<typeof rolloutCreateSchema>;

/** `scheduled`: started, waits for `startAtMs`. The last three are final. */
export const rolloutStates = [
	'waiting-approval',
	'approved',
	'scheduled',
	'running',
	'paused',
	'finished',
	'aborted',
	'rejected',
] as const;
export type RolloutState = (typeof rolloutStates)[number];

export const groupStates = ['waiting', 'running', 'done'] as const;
export type GroupState = (typeof groupStates)[number];

/**
 * `waiting`: has no order. `ordered`: has one; `phase` tells how far it is. `retrying`: failed, and gets another order at
 * `nextMs`. `withdrawn`: its order was taken back. `skipped`: left the filter, was revoked, or runs a newer release.
 */
export const rolloutBoxStates = ['waiting', 'ordered', 'retrying', 'done', 'failed', 'withdrawn', 'skipped'] as const;
export type RolloutBoxState = (typeof rolloutBoxStates)[number];

const boxCounts = z.record(z.enum(rolloutBoxStates), z.int().min(0));

export const groupPreviewSchema = z.object({
	name: z.string(),
	/** The interval of the hash of box ids that it is. */
	from: z.number(),
	to: z.number(),
	boxes: z.int().min(0),
	/** Of these, those that run the release already. */
	alreadyDone: z.int().min(0),
	/** Of these, those that are online. */
	online: z.int().min(0),
	/** Some of them, for a look. */
	sample: z.array(deviceIdSchema).max(10),
});
export const rolloutPreviewSchema = z.object({
	boxes: z.int().min(0),
	groups: z.array(groupPreviewSchema),
	/** What a person should know before it is started. */
	warnings: z.array(z.string()),
});
export type RolloutPreview = z.infer<typeof rolloutPreviewSchema>;

export const rolloutGroupSchema = z.object({
	ordinal: z.int().min(0),
	spec: groupSpecSchema,
	from: z.number(),
	to: z.number(),
	state: z.enum(groupStates),
	boxes: z.int().min(0),
	counts: boxCounts,
	/** Of the boxes that are `ordered`: how many are in each phase. */
	phases: z.partialRecord(updatePhaseSchema, z.int()),
	startedMs: z.int().nullable(),
	endedMs: z.int().nullable(),
});
export type RolloutGroup = z.infer<typeof rolloutGroupSchema>;

const act = z.object({by: z.string(), atMs: z.int(), note: z.string()});

export const rolloutSchema = z.object({
	id: rolloutIdSchema,
	spec: rolloutCreateSchema,
	state: z.enum(rolloutStates),
	/** Why it is paused or aborted. */
	reason: reasonSchema.nullable(),
	boxes: z.int().min(0),
	counts: boxCounts,
	groups: z.array(rolloutGroupSchema),
	/** What boxes fetched over their uplink for it, as they told. */
	bytes: z.object({carousel: z.int(), local: z.int(), unicast: z.int()}),
	createdBy: z.string(),
	createdById: z.string(),
	createdMs: z.int(),
	/** Null until somebody other than who made it has decided. */
	approval: act.nullable(),
	startedMs: z.int().nullable(),
	endedMs: z.int().nullable(),
	editVersion: z.int(),
});
/** GET /rollouts/{id} (viewer); its ETag is the edit version that the actions below want in If-Match. */
export type Rollout = z.infer<typeof rolloutSchema>;

/** GET /rollouts (viewer): the newest first, without counts of phases. */
export const rolloutSummarySchema = rolloutSchema
	.omit({spec: true, groups: true})
	.extend({name: z.string(), release: releaseVersionSchema, kind: boxKindSchema, groups: z.int(), groupsDone: z.int()});
export type RolloutSummary = z.infer<typeof rolloutSummarySchema>;
export const rolloutQuerySchema = pageQuerySchema.extend({
	state: z.enum(rolloutStates).optional(),
	release: releaseVersionSchema.optional(),
});
export const rolloutPageSchema = pageOf(rolloutSummarySchema);
export const rolloutParametersSchema = z.strictObject({id: rolloutIdSchema});

/** GET /rollouts/{id}/boxes (viewer), in the order of their ids. */
export const rolloutBoxQuerySchema = pageQuerySchema.extend({
	group: z.coerce.number().int().min(0).optional(),
	state: z.enum(rolloutBoxStates).optional(),
});
export const rolloutBoxSchema = z.object({
	box: deviceIdSchema,
	group: z.int(),
	state: z.enum(rolloutBoxStates),
	/** As the box told it last. */
	phase: updatePhaseSchema.nullable(),
	attempt: z.int().min(0),
	reason: reasonSchema.nullable(),
	orderedMs: z.int().nullable(),
	changedMs: z.int(),
	/** When it is given up if nothing is heard (`ordered`), or ordered again (`retrying`). */
	nextMs: z.int().nullable(),
	bytes: z.object({carousel: z.int(), local: z.int(), unicast: z.int()}),
});
export type RolloutBox = z.infer<typeof rolloutBoxSchema>;
export const rolloutBoxPageSchema = pageOf(rolloutBoxSchema);

/** POST /rollouts/{id}/approve (approver; never who made it; If-Match): `rejected` ends it. */
export const rolloutApproveSchema = z.strictObject({
	decision: z.enum(['approved', 'rejected']),
	note: z.string().max(1024).default(''),
});

/**
 * POST /rollouts/{id}/start, /pause, /resume, /abort, /retry-failed (operator; If-Match); each answers the rollout.
 * `resume` after a threshold means that these failures are accepted: it counts anew. `abort` takes back every order whose
 * box has not begun to install. `retry-failed` gives boxes that failed another order, also when it had finished.
 */
export const rolloutActSchema = z.strictObject({reason: z.string().max(1024).default('')});

/** GET /rollouts/carousel-orders (operator): orders.json for headends that no server reaches. */
export const carouselOrdersPath = '/rollouts/carousel-orders';
