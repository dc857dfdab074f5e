import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import type {SpooledEvent, TelemetrySample} from '#appliance/contract/fleet/spool-schema.ts';
import {judgeNumber} from '#ota/fleet/alert/judge-number.ts';
import type {RuleSettings} from '#ota/fleet/alert/rule-settings.ts';
import type {Finding} from '#ota/fleet/alert/step-alert.ts';
import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import {factorySlot} from '#ota/member/booted-slot.ts';

type BoxFinding = Omit<Finding, 'subject' | 'box' | 'site'>;

/** What a batch says about the rules that look at one box. Of each rule and box the last word counts. */
export const findInBatch = (
	batch: IngestBatch,
	{settings, nowMs}: {readonly settings: RuleSettings; readonly nowMs: number},
): readonly Finding[] => {
	const found = new Map<string, Finding>();
	const add = (box: string, findings: readonly BoxFinding[]): void => {
		for (const finding of findings) {
			const subject = `box:${box}`;
			found.set(`${finding.rule} ${subject}`, {...finding, subject, box, site: null});
		}
	};
	for (const {box, telemetry} of batch.telemetry) {
		for (const sample of telemetry.samples) {
			add(box, findInSample(sample, settings));
		}
	}
	for (const {box, event} of batch.events) {
		add(box, findInEvent(event));
	}
	for (const {box, reported} of batch.reported) {
		add(box, findInReport(reported, {settings, nowMs}));
	}
	return [...found.values()];
};

const findInSample = ({values}: TelemetrySample, settings: RuleSettings): readonly BoxFinding[] => {
	const findings: BoxFinding[] = [];
	const look = (rule: 'disk' | 'temperature' | 'signal', value: number | undefined, message: string): void => {
		if (value !== undefined) {
			findings.push({rule, verdict: judgeNumber(value, settings[rule]), message, value});
		}
	};
	const {disk_free_ratio: free, temperature_celsius: celsius} = values;
	const {signal_margin_db: margin, tuner_locked: locked} = values;
	const percent = free === undefined ? undefined : Math.round(free * 1000) / 10;
	look('disk', percent, `${percent} % of the disk are free.`);
	look('temperature', celsius, `The hottest sensor shows ${Math.round(celsius ?? 0)} °C.`);
	if (locked === 0 || (locked !== undefined && margin === undefined)) {
		findings.push(findLock(locked));
	} else {
		look('signal', margin, `The signal's margin is ${Math.round((margin ?? 0) * 10) / 10} dB.`);
	}
	return findings;
};

/** A dish that has fallen off has no margin to measure; and a tuner that never tells one is good again when it locks. */
const findLock = (locked: number): BoxFinding => ({
	rule: 'signal',
	verdict: locked === 0 ? 'bad' : 'good',
	message: locked === 0 ? 'The tuner has no lock.' : 'The tuner is locked.',
	value: null,
});

/** Alarms that a box raises by itself count as well: it knows its own thresholds. */
const findInEvent = ({event}: SpooledEvent): readonly BoxFinding[] => {
	if (event.kind === 'service') {
		const {service, state, detail} = event.data;
		return state === 'crashed'
			? []
			: [
					{
						rule: 'crash-loop',
						verdict: state === 'crash-loop' ? 'bad' : 'good',
						message: `${service}: ${detail}`,
						value: null,
					},
				];
	}
	if (event.kind === 'alarm') {
		const {alarm, raised, message, value} = event.data;
		return alarm === 'disk' || alarm === 'temperature' || alarm === 'signal'
			? [{rule: alarm, verdict: raised ? 'bad' : 'good', message, value: inUnitOf(alarm, value)}]
			: [];
	}
	return [];
};

/** A box tells a share of its disk; the rule's unit is percent. */
const inUnitOf = (alarm: 'disk' | 'signal' | 'temperature', value: number | undefined): number | null =>
	value === undefined ? null : alarm === 'disk' ? Math.round(value * 1000) / 10 : value;

const failedPhases: readonly string[] = ['failed', 'rolled-back', 'refused'];

const findInReport = (
	reported: Reported,
	{settings, nowMs}: {readonly settings: RuleSettings; readonly nowMs: number},
): readonly BoxFinding[] => {
	const {services, certificate} = reported;
	const looping = services.filter(({crashLoop}) => crashLoop).map(({name}) => name);
	const leftMs = certificate.notAfterMs - nowMs;
	return [
		{
			rule: 'crash-loop',
			verdict: looping.length > 0 ? 'bad' : 'good',
			message: `Crash again and again: ${looping.join(', ')}.`,
			value: looping.length,
		},
		findUpdate(reported),
		// 0 is a report from before the first certificate.
		...(certificate.notAfterMs === 0
			? []
			: [
					{
						rule: 'certificate-expiry',
						verdict: judgeNumber(leftMs, settings['certificate-expiry']),
						message: `The box's certificate ends in ${Math.floor(leftMs / 86_400_000)} days and was not renewed.`,
						value: leftMs,
					} as const,
				]),
	];
};

/** A box may fall back long after its update was confirmed, as when its power comes and goes; its update stays confirmed. */
const findUpdate = ({release, slots, update}: Reported): BoxFinding => {
	const {phase, release: wanted = 'a release', reason} = update;
	const finding = {rule: 'update-failed', value: null} as const;
	const runsFactory = slots.some(({name, state}) => name === factorySlot && state === 'booted');
	if (phase === 'confirmed' && (runsFactory || (update.release !== undefined && update.release !== release))) {
		const running = runsFactory ? `${release} of the factory's slot` : release;
		return {
			...finding,
			verdict: 'bad',
			message: `The box had confirmed ${wanted} and runs ${running} now: it fell back.`,
		};
	}
	const message = `Update to ${wanted} ${phase}: ${reason?.message ?? 'no reason given'}`;
	return {...finding, verdict: failedPhases.includes(phase) ? 'bad' : 'good', message};
};
