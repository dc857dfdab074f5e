import type {Aim, PictureFacts} from '#appliance/commission/commission-schema.ts';
import {type StbStatus, type StbTuner, stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {tunerStatusSchema} from '#appliance/contract/tuner-status-schema.ts';

/** However many browsers look, the role is asked no more often. */
const askIntervalMs = 250;
const askTimeoutMs = 1500;
const groupsMax = 32;

/**
 * Where the page has the picture's way from. A tuner speaks through the status of its role; whatever else measures one
 * day has to answer only this.
 */
export type SignalSource = {readonly read: () => Promise<PictureFacts>};

export const createRoleSignal = (options: {
	readonly status: () => SupervisorStatus;
	readonly monotonicMs: () => number;
	readonly signal: AbortSignal;
}): SignalSource => {
	let asked: {readonly atMs: number; readonly answer: Promise<PictureFacts>} | undefined;
	return {
		read: () => {
			const nowMs = options.monotonicMs();
			if (asked === undefined || nowMs - asked.atMs >= askIntervalMs) {
				asked = {atMs: nowMs, answer: askRole(options.status(), options.signal)};
			}
			return asked.answer;
		},
	};
};

const askRole = async ({box, services}: SupervisorStatus, signal: AbortSignal): Promise<PictureFacts> => {
	const base = services.find(({name}) => name === box.kind)?.endpoints['http'];
	if (base === undefined || box.kind !== 'stb') {
		return {};
	}
	try {
		const limit = AbortSignal.any([signal, AbortSignal.timeout(askTimeoutMs)]);
		const answer = await fetch(new URL('/box/status', base), {signal: limit});
		return pictureOf(stbStatusSchema.parse(await answer.json()));
	} catch {
		// A role that does not answer is told by its service's state.
		return {};
	}
};

export const pictureOf = ({tuned, receive, cache, tuner}: StbStatus): PictureFacts => ({
	multicast: {
		announced: tuned.announced,
		groups: tuned.sessions.slice(0, groupsMax).map(({group, port}) => `${group}:${port}`),
		rateBps: receive.rateBps,
		packets: receive.packets,
		droppedPackets: receive.kernelDrops,
	},
	cache: {objects: cache.objects, bytes: cache.bytes, budgetBytes: cache.budgetBytes},
	...(tuner === undefined ? {} : {tuner: tunerStatusSchema.strip().parse(tuner)}),
	...(tuner?.work === undefined ? {} : {aim: aimOf(tuner.work)}),
});

const aimOf = ({phase, carrier, marginDb}: NonNullable<StbTuner['work']>): Aim => ({
	...{carrier, marginDb},
	isOurs: phase === 'acquiring',
});
