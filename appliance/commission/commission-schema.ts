import {z} from 'zod';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {
	commissionCheckSchema,
	commissionReportSchema,
	dishSchema,
} from '#appliance/contract/fleet/commission-report-schema.ts';
import {tunerWorkSchema} from '#appliance/contract/stb-status-schema.ts';
import {fleetStatusSchema} from '#appliance/contract/supervisor-status-schema.ts';
import {tunerStatusSchema} from '#appliance/contract/tuner-status-schema.ts';

const countSchema = z.int().min(0);

export const networkFactsSchema = z.strictObject({
	interfaces: z
		.array(
			z.strictObject({
				name: z.string().max(64),
				addresses: z.array(z.string().max(64)).max(16),
				/** The cable is in, or the radio joined. Absent when the kernel does not say. */
				link: z.boolean().optional(),
				speedMbps: z.number().positive().optional(),
			}),
		)
		.max(16),
	gateway: z.string().max(64).optional(),
	nameServers: z.array(z.string().max(64)).max(8),
});
export type NetworkFacts = z.infer<typeof networkFactsSchema>;

export const timeFactsSchema = z.strictObject({
	nowMs: z.int(),
	/** Absent when nobody on the box knows. */
	synchronised: z.boolean().optional(),
	source: z.string().max(128).optional(),
	/** Between the system's clock and the source's, either way. */
	offsetSeconds: z.number().min(0).optional(),
});
export type TimeFacts = z.infer<typeof timeFactsSchema>;

/** What a set-top has its tuner on. */
const aimSchema = tunerWorkSchema.pick({carrier: true, marginDb: true}).extend({
	/** Its own network announced itself there: a lock alone may be a neighbouring satellite's. */
	isOurs: z.boolean(),
});
export type Aim = z.infer<typeof aimSchema>;

/** What the role tells of the way from the satellite to the cache; a role that has none of it leaves it out. */
export const pictureFactsSchema = z.strictObject({
	multicast: z
		.strictObject({
			announced: z.boolean(),
			groups: z.array(z.string().max(64)).max(32),
			rateBps: z.number().min(0),
			packets: countSchema,
			droppedPackets: countSchema,
		})
		.optional(),
	cache: z.strictObject({objects: countSchema, bytes: countSchema, budgetBytes: countSchema}).optional(),
	tuner: tunerStatusSchema.optional(),
	aim: aimSchema.optional(),
});
export type PictureFacts = z.infer<typeof pictureFactsSchema>;

/** GET /api/state of the technician's page. There is no secret in it. */
export const commissionStateSchema = z.strictObject({
	version: z.literal(1),
	box: z.strictObject({
		id: deviceIdSchema,
		kind: boxKindSchema,
		release: z.string().max(256),
		model: z.string().max(128).optional(),
		serial: z.string().max(128).optional(),
		site: z.string().max(64).optional(),
	}),
	network: networkFactsSchema,
	time: timeFactsSchema,
	disk: z.strictObject({freeBytes: countSchema, totalBytes: countSchema}).optional(),
	/** Absent for a box that belongs to no fleet. */
	fleet: fleetStatusSchema.optional(),
	/** A box that is somebody's takes nothing from its home's network without the code on its console. */
	codeNeeded: z.boolean(),
	takesClaim: z.boolean(),
	/** It has a claim and is not enrolled: a token for that claim is enough. */
	takesToken: z.boolean(),
	/** It can be reset from here to what the factory made of it. */
	takesReset: z.boolean(),
	services: z.array(z.strictObject({name: z.string().max(64), state: z.string().max(16)})).max(64),
	/** Why the box is not healthy, for people. */
	reasons: z.array(z.string()),
	picture: pictureFactsSchema,
	dish: dishSchema.partial().required({satelliteDegreesEast: true}),
	checks: z.array(commissionCheckSchema),
	/** The newest that was stored. */
	report: z.strictObject({report: commissionReportSchema, told: z.boolean()}).optional(),
});
export type CommissionState = z.infer<typeof commissionStateSchema>;

/** GET /api/signal. */
export const signalSchema = pictureFactsSchema.pick({tuner: true, aim: true}).extend({atMs: z.int()});
export type Signal = z.infer<typeof signalSchema>;

const codeSchema = z.string().max(16).optional();
/** POST /api/claim: a whole claim, or a token for the one that the box has. They are judged as what a stick brings. */
export const claimRequestSchema = z.union([
	z.strictObject({code: codeSchema, claim: z.unknown()}),
	z.strictObject({code: codeSchema, token: z.string().trim()}),
]);
export type BroughtClaim = {readonly claim: unknown} | {readonly token: string};
/** POST /api/factory-reset: whoever stands there has typed which box is meant. */
export const resetRequestSchema = z.strictObject({code: codeSchema, boxId: z.string().trim().max(64)});
/** POST /api/report: what only the technician knows; the rest the box finds out itself. */
export const reportRequestSchema = z.strictObject({
	code: codeSchema,
	technician: z.string().trim().max(80),
	note: z.string().trim().max(500),
	dish: z.strictObject(dishSchema.shape).optional(),
});
