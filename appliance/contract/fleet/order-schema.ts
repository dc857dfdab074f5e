import {z} from 'zod';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {commandNameSchema} from '#appliance/contract/fleet/command-schema.ts';
import {manifestBytesMax, releaseVersionSchema, signatureBytesMax} from '#appliance/contract/fleet/release-schema.ts';

/** Whom an order is for: one box, or the share of the boxes that match a filter, by the hash of their ids. */
export const orderTargetSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('box'), deviceId: deviceIdSchema}),
	z.strictObject({
		kind: z.literal('share'),
		/** In the fleet's filter language (appliance/filter), over what the box knows of itself. */
		filter: z.string().max(2048),
		/** Mixed into the hash, so that not the same boxes are first each time. */
		salt: z.string().min(1).max(64),
		/** The half-open interval [from, to) of [0, 1) in which SHA-256(salt, deviceId) must lie. */
		from: z.number().min(0).max(1),
		to: z.number().min(0).max(1),
	}),
]);
export type OrderTarget = z.infer<typeof orderTargetSchema>;

/** Local time of day in the box's own zone, `HH:MM`; a window may pass midnight. Days are ISO (1 = Monday). */
export const maintenanceWindowSchema = z.strictObject({
	days: z.array(z.int().min(1).max(7)).min(1).max(7),
	from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/u),
	to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/u),
});
export type MaintenanceWindow = z.infer<typeof maintenanceWindowSchema>;

/** The ways of fetching, tried in the order given; one that is not listed is forbidden. */
export const fetchSourceSchema = z.discriminatedUnion('kind', [
	z.strictObject({
		kind: z.literal('carousel'),
		/** `http://dvb.gw/<operator>/release/…`: the object in the set-top's cache. */
		objectUri: z.string().max(1024),
		/** The object may still be on its way: how long to wait for it before the next source. */
		waitMs: z.int().min(0).max(604_800_000),
	}),
	z.strictObject({
		kind: z.literal('blocks'),
		url: z.url({protocol: /^https$/u}).describe('Of the list of block digests.'),
	}),
	z.strictObject({kind: z.literal('https'), url: z.url({protocol: /^https$/u})}),
]);
export type FetchSource = z.infer<typeof fetchSourceSchema>;

const phaseMsSchema = z
	.int()
	.min(1000)
	.max(30 * 86_400_000);

export const updateOrderSchema = z.strictObject({
	/** Of the rollout, or of the order of its own; what `update` events name. */
	orderId: z.string().min(1).max(64),
	release: releaseVersionSchema,
	kind: boxKindSchema,
	/** The release manifest, byte for byte as signed, and its detached CMS signature (DER in base64). */
	manifest: z.string().max(manifestBytesMax),
	signature: z.base64().max(signatureBytesMax * 2),
	sources: z.array(fetchSourceSchema).max(8).describe('None: the bundle was brought to the box by hand.'),
	/** Unicast bytes that this order may cost on this box, retries included. */
	byteBudgetBytes: z.int().min(0),
	attemptsMax: z.int().min(1).max(20),
	notBeforeMs: z.int().optional(),
	/** Installing begins only within one of these; absent = at any time. Fetching is not bound to them. */
	windows: z.array(maintenanceWindowSchema).max(14).optional(),
	deadlines: z.strictObject({
		fetchMs: phaseMsSchema,
		installMs: phaseMsSchema,
		rebootMs: phaseMsSchema,
		confirmMs: phaseMsSchema,
	}),
	/** A downgrade is refused unless the order says that it is meant. */
	allowDowngrade: z.boolean(),
});
export type UpdateOrder = z.infer<typeof updateOrderSchema>;

/** What an order asks for. Each kind is a scope of its own, in which revisions only grow. */
export const orderBodySchema = z.discriminatedUnion('kind', [
	/** The whole desired state of a box: what is absent is not wanted (an update that vanishes is aborted). */
	z.strictObject({
		kind: z.literal('desired'),
		update: updateOrderSchema.optional(),
		/** Merged over the box's own file by RFC 7396 (JSON merge patch); validated by the box before it is kept. */
		config: z.record(z.string(), z.json()),
		windows: z.array(maintenanceWindowSchema).max(14).optional(),
	}),
	/** An update by the carousel, for boxes that may have no return path. */
	z.strictObject({kind: z.literal('update'), update: updateOrderSchema}),
	z.strictObject({
		kind: z.literal('command'),
		name: commandNameSchema,
		/** By the schema of the command's name (command-schema.ts). */
		arguments: z.json(),
		deadlineMs: z.int().describe('Unix ms after which the asker no longer waits.'),
	}),
	/** From now on orders are signed with this key; the order itself is signed with the one before. */
	z.strictObject({
		kind: z.literal('rotate-key'),
		kid: z.string().min(1).max(64),
		key: z.strictObject({kty: z.literal('EC'), crv: z.literal('P-256'), x: z.base64url(), y: z.base64url()}),
	}),
]);
export type OrderBody = z.infer<typeof orderBodySchema>;
export type OrderKind = OrderBody['kind'];

/**
 * The claims of an order: a compact JWS (RFC 7515), ES256, `typ` = `sv-order+jwt`, `kid` = thumbprint of the order key.
 * Times in Unix seconds (RFC 7519 section 4.1).
 */
export const orderClaimsSchema = z.strictObject({
	iss: z.string().min(1).max(128).describe("The fleet's name."),
	jti: z.string().min(1).max(64),
	iat: z.int(),
	exp: z.int(),
	/** From one sequence of the whole fleet. A box refuses one that is not above the last of the same kind. */
	revision: z.int().min(1),
	target: orderTargetSchema,
	order: orderBodySchema,
});
export type OrderClaims = z.infer<typeof orderClaimsSchema>;

/** An order longer than this is refused unread. */
export const orderBytesMax = 128 * 1024;

export const signedOrderSchema = z
	.string()
	.max(orderBytesMax)
	.regex(/^[\w-]+\.[\w-]+\.[\w-]+$/u, 'must be a compact JWS')
	.brand<'SignedOrder'>();
export type SignedOrder = z.infer<typeof signedOrderSchema>;

/** Why a box refuses an order, told as the code of an event or a reply. */
export const orderRefusals = [
	'MQTT_ORDER_MALFORMED',
	'MQTT_ORDER_SIGNATURE',
	'MQTT_ORDER_WRONG_FLEET',
	'MQTT_ORDER_WRONG_BOX',
	'MQTT_ORDER_REPLAYED',
	'MQTT_ORDER_EXPIRED',
	'MQTT_ORDER_NOT_YET',
] as const;
export type OrderRefusal = (typeof orderRefusals)[number];
