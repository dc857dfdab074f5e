import {z} from 'zod';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';

const countSchema = z.int().min(0);

/** One service of a supervisor. Times are Unix ms. */
export const serviceStatusSchema = z.strictObject({
	name: z.string().max(64),
	state: z.enum(['stopped', 'starting', 'running', 'stopping', 'waiting']),
	sinceMs: z.int(),
	pid: z.int().optional(),
	restarts: countSchema,
	/** The box is not healthy while it is down. */
	mustRun: z.boolean(),
	/** It has failed so often in a row that somebody should look. */
	crashLoop: z.boolean(),
	heartbeatAgeMs: countSchema.optional(),
	/** When it is started again; only while waiting. */
	nextStartMs: z.int().optional(),
	lastFailure: z.strictObject({kind: z.string(), text: z.string(), atMs: z.int()}).optional(),
	statusText: z.string().optional(),
	endpoints: z.record(z.string(), z.string()),
	/** What it printed last, where the supervisor reads its output. */
	outputTail: z.array(z.string()),
});
export type ServiceStatus = z.infer<typeof serviceStatusSchema>;

/** How a box stands with its fleet. */
export const fleetStatusSchema = z.strictObject({
	enrolled: z.boolean(),
	connected: z.boolean(),
	/** Since when it is connected, or is not. */
	sinceMs: z.int(),
	/** Why it is not enrolled, for people. */
	reason: z.string().max(1024).optional(),
	update: z.strictObject({phase: z.string(), release: z.string().optional(), reason: z.string().optional()}).optional(),
	/** Revision of the configuration that the fleet laid over the box's file; 0 = none. */
	overlayRevision: countSchema,
	/** Why the newest one was not taken. */
	overlayRefused: z.string().optional(),
});
export type FleetStatus = z.infer<typeof fleetStatusSchema>;

/** GET /status of a supervisor. */
export const supervisorStatusSchema = z.strictObject({
	version: z.literal(1),
	box: z.strictObject({id: deviceIdSchema, kind: boxKindSchema}),
	nowMs: z.int(),
	startedMs: z.int(),
	healthy: z.boolean(),
	/** Why it is not healthy, for people; empty when it is. */
	reasons: z.array(z.string()),
	software: z.strictObject({node: z.string(), release: z.string()}),
	services: z.array(serviceStatusSchema),
	/** Absent for a box without a fleet. */
	fleet: fleetStatusSchema.optional(),
});
export type SupervisorStatus = z.infer<typeof supervisorStatusSchema>;
