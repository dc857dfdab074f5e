import {formatBytes, formatRate, formatRatio, formatSpan, plain} from '#cli/probe/report/format.ts';
import type {ObjectReport, ProbeReport} from '#cli/probe/report/probe-report.ts';

const objectsShownMax = 30;
const findingsShownMax = 40;
const uriCharactersMax = 70;

type Column = {readonly head: string; readonly isNumber?: boolean};

const table = (columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] => {
	const widths = columns.map(({head}, index) => Math.max(head.length, ...rows.map((row) => (row[index] ?? '').length)));
	const line = (cells: readonly string[]): string =>
		`  ${cells
			.map((cell, index) =>
				columns[index]?.isNumber ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
			)
			.join('  ')
			.trimEnd()}`;
	return [line(columns.map(({head}) => head)), ...rows.map(line)];
};

const section = (title: string, lines: readonly string[]): readonly string[] =>
	lines.length === 0 ? [] : ['', title, ...lines];

const shorten = (uri: string): string => (uri.length <= uriCharactersMax ? uri : `…${uri.slice(1 - uriCharactersMax)}`);

const cycleOf = ({cycleMs}: ObjectReport): string => {
	if (cycleMs === undefined) {
		return '-';
	}
	const {min, mean, max} = cycleMs;
	return max - min < mean / 20 ? formatSpan(mean) : `${formatSpan(min)} – ${formatSpan(max)}`;
};

const head = ({source, span, signal}: ProbeReport): readonly string[] => [
	`${plain(source.name)}: ${formatBytes(source.bytes)}, ${source.datagrams} UDP datagrams${
		span === undefined ? '; nothing tells the time, so there are no rates' : ` in ${formatSpan(span.durationMs)}`
	}`,
	...(signal === undefined
		? []
		: [
				`${signal.modcod} at ${(signal.symbolRate / 1e6).toFixed(3)} Msym/s: ${signal.frames} frames, ${signal.failedFrames} not corrected` +
					(signal.merDb === undefined ? '' : `, MER ${signal.merDb.toFixed(1)} dB`),
			]),
];

const carriers = (report: ProbeReport): readonly string[] =>
	report.carriers.flatMap(({where, contents}) => [
		`  ${plain(where)}: ${contents.carrier}`,
		...contents.frames.map(
			(found) =>
				`    ISI ${found.inputStream === 0xff_ff ? '-' : found.inputStream}: ${found.frames} BBFRAMEs of ${found.content}${found.isLite ? ' (Lite)' : ''}, ${found.isConstantCoding ? 'CCM' : 'ACM/VCM'}, roll-off ${found.rollOff}`,
		),
		...contents.transports
			.filter(({services, transportStreamId}) => services.length > 0 || transportStreamId !== undefined)
			.flatMap((transport) => [
				`    TS ${transport.transportStreamId ?? '?'} of network ${transport.networkId ?? '?'} ${plain(transport.networkName ?? '')}`,
				...transport.services.map(
					(service) =>
						`      service ${service.serviceId} ${plain(service.name)}: ${service.streams
							.map(
								({pid, kind, streamType}) =>
									`PID ${pid} ${kind === 'none' ? `type ${streamType}` : kind.toUpperCase()}`,
							)
							.join(', ')}`,
				),
			]),
	]);

const networks = (report: ProbeReport): readonly string[] => [
	...report.networks.flatMap(({networkId, name, streams}) => [
		`  network ${networkId} ${plain(name)}`,
		...streams.map(({carrierId, linkId, serviceId, linkLayerFormat, tuning}) => {
			const tuned =
				tuning === undefined
					? ''
					: `, ${tuning.system} ${tuning.frequencyKhz / 1000} MHz ${tuning.polarization}, ${tuning.symbolRateKsps} ksym/s ${tuning.modulation ?? ''} ${tuning.codeRate ?? ''}`;
			return plain(`    stream ${carrierId}/${linkId}/${serviceId}, ${linkLayerFormat}${tuned}`.trimEnd());
		}),
	]),
	...report.nipServices.map(({serviceId, uris}) => plain(`  NIP service ${serviceId}: ${uris.length} entry points`)),
	...report.services.map(({name, channelNumber, deliveries}) =>
		plain(`  ${channelNumber === undefined ? '' : `${channelNumber} `}${name}: ${[...new Set(deliveries)].join(', ')}`),
	),
];

const sessions = (report: ProbeReport): readonly string[] =>
	table(
		[
			{head: 'session'},
			{head: 'announced'},
			{head: 'rate', isNumber: true},
			{head: 'packets', isNumber: true},
			{head: 'FDTs', isNumber: true},
			{head: 'objects', isNumber: true},
			{head: 'FEC'},
			{head: 'lost', isNumber: true},
		],
		report.sessions.map((session) => [
			`${session.group}:${session.port} TSI ${session.tsi}`,
			session.announced ? 'yes' : 'no',
			session.bps === undefined ? '-' : formatRate(session.bps),
			`${session.packets}`,
			`${session.fdtInstances}`,
			`${session.objects}`,
			session.encodingIds.join(', '),
			formatRatio(session.lossRatio),
		]),
	);

const objects = (report: ProbeReport): readonly string[] => {
	const shown = report.objects.slice(0, objectsShownMax);
	const left = report.objects.length + report.objectsLeftOut - shown.length;
	return [
		...table(
			[
				{head: 'TSI/TOI'},
				{head: 'size', isNumber: true},
				{head: 'sent', isNumber: true},
				{head: 'whole', isNumber: true},
				{head: 'cycle', isNumber: true},
				{head: 'lost', isNumber: true},
				{head: 'object'},
			],
			shown.map((object) => [
				`${object.tsi}/${object.toi}`,
				object.sizeBytes === undefined ? '?' : formatBytes(object.sizeBytes),
				`${object.transmissions}`,
				`${object.wholeTransmissions}`,
				cycleOf(object),
				`${object.lostSymbols}`,
				plain(shorten(object.uri ?? '(no FDT describes it)')),
			]),
		),
		...(left > 0 ? [`  … and ${left} more; --json and --report have them`] : []),
	];
};

const findings = (report: ProbeReport): readonly string[] => {
	const shown = report.findings.slice(0, findingsShownMax);
	return [
		...shown.map(
			({severity, clause, where, message, count}) =>
				`  ${severity.padEnd(7)}  ${plain(message)}${count > 1 ? ` (${count} times)` : ''}\n           ${plain(where)}; ${clause}`,
		),
		...(shown.length < report.findings.length ? [`  … and ${report.findings.length - shown.length} more`] : []),
	];
};

/** For a person at a terminal. */
export const formatText = (report: ProbeReport): string => {
	const layers = table(
		[{head: 'layer'}, {head: 'bytes', isNumber: true}, {head: 'rate', isNumber: true}, {head: 'share', isNumber: true}],
		report.layers.map(({layer, bytes, bps, share}) => [
			layer,
			formatBytes(bytes),
			bps === undefined ? '-' : formatRate(bps),
			formatRatio(share),
		]),
	);
	const others = report.others.map(
		({endpoint, packets, bytes}) => `  ${endpoint}: ${packets} packets, ${formatBytes(bytes)}`,
	);
	const lines = [
		...head(report),
		...section('Carriers', carriers(report)),
		...section('Networks and services', networks(report)),
		...section('Layers', report.layers.length === 0 ? [] : layers),
		...section('Sessions', report.sessions.length === 0 ? [] : sessions(report)),
		...section('Objects', report.objects.length === 0 ? [] : objects(report)),
		...section('Other UDP', others.slice(0, 20)),
		...section('Findings', report.findings.length === 0 ? ['  none'] : findings(report)),
	];
	return `${lines.join('\n')}\n`;
};
