import {
	type ProgramStream,
	readNetworkCarriers,
	readProgramPids,
	readProgramStreams,
	readServiceNames,
	readTableSection,
	type TableSection,
} from './psi.ts';
import type {Antenna, SatelliteTuning, SignalStatistics, Tuner} from './tuner.ts';
import {waitForLock} from './wait-for-lock.ts';

export type FoundService = {
	readonly serviceId: number;
	readonly name: string;
	readonly provider: string;
	readonly pmtPid: number;
	readonly streams: readonly ProgramStream[];
};

export type FoundTransponder = {
	readonly tuning: SatelliteTuning;
	readonly locked: boolean;
	readonly lockMs?: number;
	readonly statistics: SignalStatistics;
	readonly transportStreamId?: number;
	readonly services: readonly FoundService[];
	/** What the network's own table says of other carriers. */
	readonly carriers: readonly SatelliteTuning[];
};

export type ScanLimits = {
	readonly lockTimeoutMs?: number;
	/** A table comes at least so often (ETSI TR 101 211: the NIT every 10 s). */
	readonly tableTimeoutMs?: number;
};

const defaults = {lockTimeoutMs: 5000, tableTimeoutMs: 12_000};
/** A stream with more is none that a service could be looked up in. */
const servicesMax = 512;
const tablePids = {programs: 0, network: 16, services: 17};
const tableIds = {programs: 0x00, program: 0x02, network: 0x40, services: 0x42};

/** Tunes to each carrier and tells what is on it; one that does not lock is told of, too. */
export async function* scanCarriers(
	tuner: Tuner,
	options: {
		readonly tunings: Iterable<SatelliteTuning>;
		readonly antenna: Antenna;
		readonly limits?: ScanLimits;
		readonly signal: AbortSignal;
	},
): AsyncGenerator<FoundTransponder, undefined> {
	const {antenna, signal} = options;
	const {lockTimeoutMs, tableTimeoutMs} = {...defaults, ...options.limits};
	for (const tuning of options.tunings) {
		await tuner.tune(tuning, antenna, {signal});
		const {lockMs, statistics} = await waitForLock(tuner, {timeoutMs: lockTimeoutMs, signal});
		if (lockMs === undefined) {
			yield {tuning, locked: false, statistics, services: [], carriers: []};
		} else {
			const contents = await readContents(tuner, {tableTimeoutMs, signal});
			yield {tuning, locked: true, lockMs, statistics, ...contents};
		}
	}
	return undefined;
}

/** What the tables of a locked transport stream tell. Tables that do not come in time are missing from it. */
export const readContents = async (
	tuner: Pick<Tuner, 'sections'>,
	options: {readonly tableTimeoutMs?: number; readonly signal: AbortSignal},
): Promise<Pick<FoundTransponder, 'transportStreamId' | 'services' | 'carriers'>> => {
	const {tableTimeoutMs = defaults.tableTimeoutMs, signal} = options;
	const read = (pid: number, tableId: number, extension?: number): Promise<readonly TableSection[]> =>
		readTable(tuner, {pid, tableId, extension, timeoutMs: tableTimeoutMs, signal});
	const [programs, names, network] = await Promise.all([
		read(tablePids.programs, tableIds.programs),
		read(tablePids.services, tableIds.services),
		read(tablePids.network, tableIds.network),
	]);
	const pmtPids = new Map(programs.flatMap(({body}) => [...readProgramPids(body)]).slice(0, servicesMax));
	const named = new Map(names.flatMap(({body}) => readServiceNames(body)).map((entry) => [entry.serviceId, entry]));
	const services: FoundService[] = [];
	for (const [serviceId, pmtPid] of pmtPids) {
		const sections = await read(pmtPid, tableIds.program, serviceId);
		const {name = '', provider = ''} = named.get(serviceId) ?? {};
		const streams = sections.flatMap(({body}) => readProgramStreams(body));
		services.push({serviceId, name, provider, pmtPid, streams});
	}
	const transportStreamId = programs[0]?.extension;
	return {
		...(transportStreamId === undefined ? {} : {transportStreamId}),
		services,
		carriers: network.flatMap(({body}) => readNetworkCarriers(body)),
	};
};

/** All sections of one version of a table; what there is when the time is over. */
const readTable = async (
	tuner: Pick<Tuner, 'sections'>,
	options: {
		readonly pid: number;
		readonly tableId: number;
		readonly extension: number | undefined;
		readonly timeoutMs: number;
		readonly signal: AbortSignal;
	},
): Promise<readonly TableSection[]> => {
	const {pid, tableId, extension, timeoutMs} = options;
	const limit = AbortSignal.timeout(timeoutMs);
	const found = new Map<number, TableSection>();
	const value = [tableId, ...(extension === undefined ? [] : [extension >> 8, extension & 0xff])];
	try {
		const signal = AbortSignal.any([options.signal, limit]);
		for await (const bytes of tuner.sections({pid, value: Uint8Array.from(value), signal})) {
			const section = readTableSection(bytes);
			if (section?.current !== true) {
				continue;
			}
			if ([...found.values()].some(({version}) => version !== section.version)) {
				found.clear();
			}
			found.set(section.number, section);
			if (found.size > section.last) {
				break;
			}
		}
	} catch (error) {
		if (!limit.aborted || options.signal.aborted) {
			throw error;
		}
	}
	return [...found.values()].toSorted((one, other) => one.number - other.number);
};
