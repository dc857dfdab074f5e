import type {Analysis} from '#cli/probe/analysis.ts';
import {layersOf} from '#cli/probe/report/layers.ts';
import type {ObjectReport, ProbeReport, SessionReport, SignalReport} from '#cli/probe/report/probe-report.ts';
import type {SessionTrack} from '#cli/probe/session/session-track.ts';

/** Objects in a report; the largest are kept. */
const objectsMax = 20_000;
/** Below this a rate is no rate. */
const spanMinMs = 200;

const rateOf = (bytes: number, spanMs: number): number | undefined =>
	spanMs < spanMinMs ? undefined : Math.round((bytes * 8000) / spanMs);

const objectsOf = (session: SessionTrack, hasClock: boolean): readonly ObjectReport[] =>
	session.objects.map(({toi, file, track, packets, bytes, firstMs}) => {
		const facts = track?.facts;
		return {
			...session.key,
			...{toi, packets, bytes, firstMs},
			uri: file?.uri,
			contentType: file?.contentType,
			contentEncoding: file?.contentEncoding,
			sizeBytes: file?.contentLength ?? file?.transferLength,
			transferBytes: file?.transferLength,
			transmissions: facts?.transmissions ?? 0,
			wholeTransmissions: facts?.passes.filter(({isWhole}) => isWhole).length ?? 0,
			cycleMs: hasClock ? facts?.cycleMs : undefined,
			lostSymbols: facts?.lostSymbols ?? 0,
			sourceSymbols: facts?.sourceSymbols ?? 0,
			repairSymbols: facts?.repairSymbols ?? 0,
			duplicates: facts?.duplicates ?? 0,
			passes: (facts?.passes ?? []).map(({startMs, endMs, lost}) => ({startMs, endMs, lost})),
		};
	});

const sessionOf = (session: SessionTrack, objects: readonly ObjectReport[], analysis: Analysis): SessionReport => {
	const {packets, bytes, firstMs, lastMs, fdtInstances, encodingIds, senderOffsetMs, untrackedPackets} = session.facts;
	const lostSymbols = objects.reduce((sum, object) => sum + object.lostSymbols, 0);
	const sourceSymbols = objects.reduce((sum, object) => sum + object.sourceSymbols, 0);
	return {
		...session.key,
		...{packets, bytes, fdtInstances, encodingIds, untrackedPackets, lostSymbols, sourceSymbols},
		announced: analysis.announcement.announces(session.key),
		sources: [...session.sources],
		bps: rateOf(bytes, lastMs - firstMs),
		objects: objects.length,
		lossRatio: sourceSymbols === 0 ? 0 : lostSymbols / (lostSymbols + sourceSymbols),
		senderOffsetMs,
	};
};

/** Everything that was found, as one value. */
export const buildReport = (
	analysis: Analysis,
	source: {
		readonly name: string;
		readonly kind: ProbeReport['source']['kind'];
		readonly bytes: number;
		/** False where nothing told the time, so that there are no rates and cycles. */
		readonly hasClock: boolean;
		readonly signal?: SignalReport | undefined;
	},
): ProbeReport => {
	analysis.finish();
	const {firstMs, lastMs, datagrams, ipBytes} = analysis.facts;
	const spanMs = source.hasClock ? lastMs - firstMs : 0;
	const perSession = analysis.sessions.map((session) => ({session, objects: objectsOf(session, source.hasClock)}));
	const objects = perSession.flatMap((each) => each.objects);
	const {network, streams, services} = analysis.announcement;
	return {
		version: 1,
		source: {name: source.name, kind: source.kind, bytes: source.bytes, datagrams, ipBytes},
		span: source.hasClock ? {startMs: firstMs, durationMs: spanMs} : undefined,
		signal: source.signal,
		carriers: analysis.carriers.map(({where, contents, stats}) => ({where, contents, stats})),
		layers: layersOf(analysis, spanMs >= spanMinMs ? spanMs : undefined),
		networks:
			network === undefined ? [] : [{networkId: network.networkId, name: network.name, streams: network.streams}],
		nipServices: streams.map((stream) => ({...stream})),
		services: services.map(({identifier, name, channelNumber, instances}) => ({
			...{identifier, name, channelNumber},
			deliveries: instances.map(({delivery}) => delivery.kind),
		})),
		sessions: perSession.map((each) => sessionOf(each.session, each.objects, analysis)),
		objects: [...objects].sort((a, b) => b.bytes - a.bytes).slice(0, objectsMax),
		objectsLeftOut: Math.max(0, objects.length - objectsMax),
		others: analysis.others.map((other) => ({...other})),
		rates: source.hasClock
			? [
					{name: 'all', ...analysis.total.series},
					...analysis.sessions.map((session) => ({name: session.where, ...session.rate.series})),
				]
			: [],
		findings: analysis.findings.all(),
	};
};
