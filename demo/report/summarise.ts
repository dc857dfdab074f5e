import type {DemoReport, PlaybackResult} from '#demo/report/report-schema.ts';

const playbackLine = (what: string, result: PlaybackResult): string =>
	result.startupMs === null
		? `${what} did not start`
		: `${what} started after ${(result.startupMs / 1000).toFixed(1)} s, ${result.framesDecoded} frames, ${result.stalls} stalls`;

/** The report for a person who reads a terminal. */
export const summarise = (report: DemoReport): readonly string[] => {
	const {objects, bytes, loss, repair, playback, cache, fleet} = report;
	return [
		`${objects.received} objects received, ${objects.repaired} repaired, ${objects.failed} failed; ${objects.identical} of ${objects.checked} byte-identical to their source`,
		`${(loss.injectedRatio * 100).toFixed(1)} % of ${loss.packets} packets lost on the way; ${bytes.fecRecovered} bytes recovered by FEC, ${bytes.repaired} repaired over HTTP (p50 ${Math.round(repair.latencyMs.p50)} ms, p99 ${Math.round(repair.latencyMs.p99)} ms)`,
		playbackLine('title', playback.vod),
		playbackLine('live', playback.live),
		`cache hit ratio ${(cache.hitRatio * 100).toFixed(1)} %`,
		`${fleet.online} of ${fleet.boxes} boxes enrolled and online in the fleet`,
		...(report.update === undefined ? [] : updateLines(report.update)),
		...(report.signal === undefined ? [] : [signalLine(report.signal)]),
		report.ok ? 'all is well' : `not well: ${report.reasons.join('; ')}`,
	];
};

const signalLine = ({form, modcod, datagrams, carrierBytes, damage}: NonNullable<DemoReport['signal']>): string =>
	`${datagrams} datagrams by ${form.toUpperCase()} in ${(carrierBytes / 1e6).toFixed(0)} MB of ${modcod}, ${damage} damages`;

const updateLines = ({
	release,
	waves,
	bytesMulticast,
	bytesUnicast,
}: NonNullable<DemoReport['update']>): readonly string[] => [
	...waves.map(
		({name, boxes, confirmed, rolledBack, reasons}) =>
			`release ${release}, ${name}: ${confirmed} of ${boxes.length} confirmed, ${rolledBack} rolled back${reasons.map((reason) => ` (${reason})`).join('')}`,
	),
	`the release came by ${bytesMulticast} bytes of the carousel and ${bytesUnicast} bytes of unicast`,
];
