import type {Polarization, SatelliteTuning} from '#native/dvb/tuner.ts';
import {polarizations} from '#native/dvb/tuner.ts';
import type {BroadcastNetwork, NetworkInformation, NetworkStream} from '#stb/signalling/parse-network-information.ts';

export type Carrier = SatelliteTuning;

/** Carriers known at most: what networks tell of came through the air. */
export const carriersMax = 256;
/** Two that lie nearer are one: networks round differently. */
const sameKhz = 2000;

/** Two tables may say more or less of one carrier, so it is known by where it is. */
export const isSameCarrier = (one: Carrier, other: Carrier): boolean =>
	one.polarization === other.polarization &&
	Math.abs(one.frequencyKhz - other.frequencyKhz) <= sameKhz &&
	(one.inputStream ?? 0) === (other.inputStream ?? 0);

/** Those that are known stay as they are, what is new comes behind. */
export const mergeCarriers = (known: readonly Carrier[], more: readonly Carrier[]): readonly Carrier[] => {
	const merged = [...known];
	for (const carrier of more) {
		if (merged.length < carriersMax && !merged.some((other) => isSameCarrier(other, carrier))) {
			merged.push(carrier);
		}
	}
	return merged;
};

/** Carriers that a Network Information File tells of: those of the wanted network first, then its own, then the others'. */
export const carriersOfNetworks = (
	information: NetworkInformation,
	wantedId: number | undefined,
): readonly Carrier[] => {
	const networks: readonly BroadcastNetwork[] = [information, ...information.others];
	return networks
		.toSorted((one, other) => Number(other.networkId === wantedId) - Number(one.networkId === wantedId))
		.flatMap(({streams}) => streams.flatMap((stream) => carrierOf(stream) ?? []));
};

const carrierOf = ({tuning}: NetworkStream): Carrier | undefined => {
	if (tuning === undefined) {
		return undefined;
	}
	const polarization = readPolarization(tuning.polarization);
	return polarization === undefined
		? undefined
		: {
				...{system: tuning.system, frequencyKhz: tuning.frequencyKhz, polarization},
				symbolRate: tuning.symbolRateKsps * 1000,
				...given('modulation', tuning.modulation),
				...given('codeRate', tuning.codeRate),
				...given('rollOff', tuning.rollOff),
				// Those who write the files give 0 for a carrier that has no streams to choose from, too.
				...given('inputStream', tuning.inputStreamIdentifier === 0 ? undefined : tuning.inputStreamIdentifier),
				...given('plsIndex', tuning.scramblingSequenceIndex === 0 ? undefined : tuning.scramblingSequenceIndex),
			};
};

const given = <Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> =>
	value === undefined ? {} : ({[key]: value} as Partial<Record<Key, Value>>);

/** As on the air: `vertical`; some write `circular left`, or the letter alone. */
const readPolarization = (text: string): Polarization | undefined => {
	const word = text.trim().toLowerCase();
	return polarizations.find((name) => word === name || word === name[0] || word.endsWith(` ${name}`));
};
