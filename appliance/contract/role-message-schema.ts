import {z} from 'zod';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {playbackReportSchema} from '#appliance/contract/playback-report.ts';
import {logLevels} from '#appliance/log/logger.ts';

/** What a role's process tells its supervisor, over the channel that it was started with. */
export const roleMessageSchema = z.discriminatedUnion('kind', [
	/** Its process is there; told first, for people who look for it. */
	z.strictObject({kind: z.literal('begun'), pid: z.int().min(1)}),
	/** It serves; `endpoints` are the URLs that it listens on, by name. */
	z.strictObject({kind: z.literal('ready'), endpoints: z.record(z.string().max(64), z.string().max(1024))}),
	/** Its loop turns. Sent every second; the supervisor restarts a process whose heartbeat stops. */
	z.strictObject({kind: z.literal('heartbeat')}),
	/** One line for people, shown by systemd and the status page. */
	z.strictObject({kind: z.literal('status'), text: z.string().max(512)}),
	/** What came of a `roleOrder`. */
	z.strictObject({
		kind: z.literal('answer'),
		id: z.string().max(64),
		outcome: z.discriminatedUnion('kind', [
			z.strictObject({kind: z.literal('done'), result: z.json()}),
			z.strictObject({kind: z.literal('failed'), error: reasonSchema}),
		]),
	}),
	/** A player's report, for the fleet. */
	z.strictObject({kind: z.literal('playback'), report: playbackReportSchema}),
]);
export type RoleMessage = z.infer<typeof roleMessageSchema>;

/** What a supervisor asks of a running role, over the same channel. */
export const roleOrderSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('set-log-level'), level: z.enum(logLevels)}),
	/** Asks it to take up what this file says now; it answers whether it did, and is started anew if not. */
	z.strictObject({kind: z.literal('reconfigure'), filePath: z.string().max(4096)}),
	z.strictObject({kind: z.literal('purge-cache'), uriPrefix: z.string().max(1024)}),
]);
export type RoleOrder = z.infer<typeof roleOrderSchema>;

export const supervisorMessageSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('order'), id: z.string().max(64), order: roleOrderSchema}),
	/** To a role that is no child, and gets no signals. */
	z.strictObject({kind: z.literal('stop')}),
]);
export type SupervisorMessage = z.infer<typeof supervisorMessageSchema>;

/** How often a role beats, ms. */
export const heartbeatIntervalMs = 1000;
