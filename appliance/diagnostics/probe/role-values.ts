import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {type StbStatus, type StbTuner, stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import type {MetricValues} from '#appliance/diagnostics/probe/system-values.ts';

const askTimeoutMs = 3000;

/** What a role tells of its picture path, as numbers; nothing when it does not answer. */
export const readRoleValues = async (
	status: SupervisorStatus,
	{signal}: {readonly signal: AbortSignal},
): Promise<MetricValues> => {
	const base = status.services.find(({name}) => name === status.box.kind)?.endpoints['http'];
	if (base === undefined || status.box.kind === 'pop-node') {
		return {};
	}
	const stb = status.box.kind === 'stb';
	const body = await askJson(new URL(stb ? '/box/status' : '/status', base), signal);
	if (stb) {
		const parsed = stbStatusSchema.safeParse(body);
		return parsed.success ? stbValues(parsed.data) : {};
	}
	const parsed = headendStatusSchema.safeParse(body);
	return parsed.success
		? {
				uplink_sent_bps: parsed.data.uplink.sentBps,
				uplink_ordered_bps: parsed.data.uplink.rateBps,
				carousel_objects: parsed.data.carousel.objects,
				carousel_bytes: parsed.data.carousel.bytes,
			}
		: {};
};

export const stbValues = ({receive, objects, repair, cache, tuned, terrestrial, tuner}: StbStatus): MetricValues => ({
	...(tuner === undefined ? {} : tunerValues(tuner)),
	// Before anything is tuned there is nothing to miss.
	...(tuned.sessions.length > 0 ? {receive_rate_bps: receive.rateBps} : {}),
	receive_packets: receive.packets,
	receive_dropped_packets: receive.kernelDrops,
	receive_malformed_packets: receive.malformedPackets,
	objects_received: objects.received,
	objects_repaired: objects.repaired,
	objects_failed: objects.failed,
	repair_bytes: repair.bytes,
	repair_failures: repair.failures,
	repair_p99_ms: repair.latencyMs.p99,
	cache_bytes: cache.bytes,
	cache_hit_ratio: cache.hitRatio,
	terrestrial_bytes: terrestrial.bytes,
});

/** Names as in telemetry; what the chip does not tell is missing. */
const tunerValues = ({locked, levelDbm, levelRatio, cnrDb, bitErrorRatio, work}: StbTuner): MetricValues => ({
	tuner_locked: locked ? 1 : 0,
	...(levelDbm === undefined ? {} : {tuner_level_dbm: levelDbm}),
	...(levelRatio === undefined ? {} : {tuner_level_ratio: levelRatio}),
	...(cnrDb === undefined ? {} : {tuner_cnr_db: cnrDb}),
	...(bitErrorRatio === undefined ? {} : {tuner_bit_error_ratio: bitErrorRatio}),
	...(work === undefined ? {} : workValues(work)),
});

const workValues = (work: NonNullable<StbTuner['work']>): MetricValues => ({
	tuner_section_errors: work.sectionErrors,
	tuner_section_errors_per_minute: work.sectionErrorsPerMinute,
	tuner_overruns: work.overruns,
	tuner_losses: work.losses,
	...(work.lockMs === undefined ? {} : {tuner_lock_ms: work.lockMs}),
	...(work.marginDb === undefined ? {} : {signal_margin_db: work.marginDb}),
});

const askJson = async (url: URL, signal: AbortSignal): Promise<unknown> => {
	try {
		const answer = await fetch(url, {signal: AbortSignal.any([signal, AbortSignal.timeout(askTimeoutMs)])});
		return await answer.json();
	} catch {
		return undefined;
	}
};

/** What the supervisor knows of its services. */
export const serviceValues = ({services, healthy}: SupervisorStatus): MetricValues => ({
	healthy: healthy ? 1 : 0,
	services_running: services.filter(({state}) => state === 'running').length,
	service_restarts: services.reduce((sum, {restarts}) => sum + restarts, 0),
});
