import type {BoxEvent} from '#appliance/contract/fleet/spool-schema.ts';
import type {ServiceStatus} from '#appliance/contract/supervisor-status-schema.ts';

const detailCharsMax = 2048;
const outputLinesMax = 10;

export type ServiceEvent = Extract<BoxEvent, {kind: 'service'}>;

/** What became of the services between two looks. Pure. */
export const serviceEvents = (
	before: readonly ServiceStatus[],
	after: readonly ServiceStatus[],
): readonly ServiceEvent[] =>
	after.flatMap((now) => {
		const was = before.find(({name}) => name === now.name);
		if (was === undefined) {
			return [];
		}
		if (now.crashLoop && !was.crashLoop) {
			return [eventOf(now, 'crash-loop')];
		}
		if (now.state === 'waiting' && was.state !== 'waiting' && now.lastFailure?.kind !== 'ordered' && !now.crashLoop) {
			return [eventOf(now, 'crashed')];
		}
		return now.state === 'running' && was.crashLoop && !now.crashLoop ? [eventOf(now, 'recovered')] : [];
	});

const eventOf = (
	{name, lastFailure, outputTail}: ServiceStatus,
	state: ServiceEvent['data']['state'],
): ServiceEvent => ({
	kind: 'service',
	data: {
		service: name.slice(0, 64),
		state,
		detail: [lastFailure === undefined || state === 'recovered' ? '' : `it ${lastFailure.text}`]
			.concat(state === 'recovered' ? [] : outputTail.slice(-outputLinesMax))
			.join('\n')
			.slice(0, detailCharsMax),
	},
});
