import type {CommissionState} from '#appliance/commission/commission-schema.ts';
import type {CommissionCheck} from '#appliance/contract/fleet/commission-report-schema.ts';

/** With less room the cache and an update get into each other's way. */
const diskFreeRatioMin = 0.05;
/** A clock that is wrong by more makes certificates and orders fail. */
const clockOffsetSecondsMax = 2;
const detailCharsMax = 512;

export type JudgedFacts = Pick<
	CommissionState,
	'box' | 'network' | 'time' | 'disk' | 'fleet' | 'services' | 'reasons' | 'picture'
> & {readonly stateLost: string | undefined};
type Verdict = readonly [CommissionCheck['outcome'], string];

/** What a technician may tick off, and the sentence for what may not be. A role is judged only by what it has. */
export const judgeCommission = (facts: JudgedFacts): readonly CommissionCheck[] => {
	const isReceiver = facts.box.kind === 'stb';
	const verdicts: readonly (readonly [CommissionCheck['name'], Verdict])[] = [
		['network', judgeNetwork(facts)],
		['time', judgeTime(facts)],
		['disk', judgeDisk(facts)],
		['fleet', judgeFleet(facts)],
		['services', judgeServices(facts)],
		...(isReceiver
			? ([
					['signal', judgeSignal(facts)],
					['multicast', judgeMulticast(facts)],
					['cache', judgeCache(facts)],
				] as const)
			: []),
	];
	return verdicts.map(([name, [outcome, detail]]) => ({name, outcome, detail: detail.slice(0, detailCharsMax)}));
};

const judgeNetwork = ({network: {interfaces, gateway, nameServers}}: JudgedFacts): Verdict => {
	if (interfaces.length === 0) {
		return ['bad', 'No address: look at the cable and the router.'];
	}
	// RFC 3927, and RFC 4291 section 2.5.6: what a box gives itself.
	if (interfaces.every(({addresses}) => addresses.every((address) => /^(?:169\.254\.|fe[89ab])/iu.test(address)))) {
		return ['bad', 'The network gave the box no address: look at the router.'];
	}
	if (gateway === undefined) {
		return ['bad', 'No gateway: the box has an address, and no way out of the home.'];
	}
	return nameServers.length === 0
		? ['bad', 'No name server: the router gave none.']
		: ['good', `Address, gateway ${gateway} and name server are there.`];
};

const judgeTime = ({time: {synchronised, offsetSeconds = 0}}: JudgedFacts): Verdict => {
	if (synchronised === undefined) {
		return ['unknown', 'Nothing on this box says whether its clock is right.'];
	}
	if (!synchronised) {
		return ['bad', 'The clock is not set by a time server yet; it takes a minute on a working network.'];
	}
	return offsetSeconds > clockOffsetSecondsMax
		? ['bad', `The clock is wrong by ${offsetSeconds.toFixed(1)} s and is being corrected.`]
		: ['good', 'The clock is set by a time server.'];
};

const judgeDisk = ({disk, stateLost}: JudgedFacts): Verdict => {
	if (stateLost !== undefined) {
		const sentence = `${stateLost.charAt(0).toUpperCase()}${stateLost.slice(1)}.`;
		return ['bad', `${sentence} Whose it is cannot be read, so writing here needs its console’s code.`];
	}
	if (disk === undefined) {
		return ['unknown', 'The data partition cannot be read.'];
	}
	const ratio = disk.totalBytes === 0 ? 0 : disk.freeBytes / disk.totalBytes;
	const text = `${Math.floor(ratio * 100)} % of the data partition is free.`;
	return [ratio < diskFreeRatioMin ? 'bad' : 'good', text];
};

const judgeFleet = ({fleet}: JudgedFacts): Verdict => {
	if (fleet === undefined) {
		return ['unknown', 'This box belongs to no fleet.'];
	}
	if (!fleet.enrolled) {
		return ['bad', fleet.reason ?? 'The box has a claim and is not enrolled yet.'];
	}
	return fleet.connected ? ['good', 'Enrolled and connected.'] : ['bad', 'Enrolled, and the fleet is not reached now.'];
};

const judgeServices = ({services, reasons}: JudgedFacts): Verdict =>
	reasons.length === 0
		? ['good', `${services.map(({name}) => name).join(', ')}: running.`]
		: ['bad', reasons.join('; ')];

const judgeSignal = ({picture: {tuner, aim}}: JudgedFacts): Verdict => {
	if (tuner === undefined) {
		return ['unknown', 'No tuner reports to this box.'];
	}
	const quality = tuner.cnrDb === undefined ? '' : `, C/N ${tuner.cnrDb.toFixed(1)} dB`;
	if (!tuner.locked) {
		return ['bad', `No lock${quality}: turn the dish.`];
	}
	return aim?.isOurs === false
		? ['unknown', `Locked${quality}; nothing of our network is heard there yet.`]
		: ['good', `Locked${quality}.`];
};

const judgeMulticast = ({picture: {multicast}}: JudgedFacts): Verdict => {
	if (multicast === undefined) {
		return ['unknown', 'The receiver does not answer.'];
	}
	if (multicast.packets === 0) {
		return ['bad', 'Nothing was received yet.'];
	}
	return multicast.rateBps > 0
		? ['good', `${(multicast.rateBps / 1e6).toFixed(1)} Mbit/s from ${multicast.groups.join(', ')}.`]
		: ['bad', 'Nothing is received at the moment.'];
};

const judgeCache = ({picture: {cache}}: JudgedFacts): Verdict => {
	if (cache === undefined) {
		return ['unknown', 'The receiver does not answer.'];
	}
	return cache.budgetBytes === 0
		? ['bad', 'The cache has no room.']
		: ['good', `${cache.objects} objects; room for ${(cache.budgetBytes / 1e9).toFixed(1)} GB.`];
};
