import {formatBytes, formatRate, formatRatio, formatSpan} from '#cli/probe/report/format.ts';
import {constellationPicture, ratePicture, spectrumPicture, timelinePicture} from '#cli/probe/report/pictures.ts';
import type {ProbeReport} from '#cli/probe/report/probe-report.ts';
import {escapeMarkup} from '#cli/probe/report/svg.ts';

const objectsShownMax = 2000;

const style = `
:root{color-scheme:dark;--soft:#a4b1c6;--line:#2a3446}
body{margin:0 auto;max-width:66rem;padding:1.5rem clamp(1rem,3vw,2.5rem) 4rem;background:#070b12;color:#eef3fb;font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}
h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:2rem 0 .6rem}
p{margin:.3rem 0}.soft,.tick{color:var(--soft)}.tick{fill:var(--soft);font-size:11px}.grid{stroke:var(--line)}
svg{width:100%;height:auto;display:block}.square{max-width:26rem}
table{width:100%;border-collapse:collapse}th{color:var(--soft);font-weight:500;text-align:left}
th,td{padding:.25rem .8rem .25rem 0;vertical-align:baseline;overflow-wrap:anywhere}td.n,th.n{text-align:right;white-space:nowrap}
tbody tr{border-top:1px solid var(--line)}.scroll{overflow-x:auto}
.legend span{margin-right:1.2rem;white-space:nowrap}.legend i{display:inline-block;width:.8em;height:.8em;border-radius:.2em;margin-right:.4em}
.error{color:#ff8f8f}.warning{color:#ffb86b}.note{color:var(--soft)}.good{color:#63dba6}`;

type Cell = {readonly text: string; readonly isNumber?: boolean; readonly name?: string};

const tableOf = (head: readonly Cell[], rows: readonly (readonly Cell[])[]): string => {
	if (rows.length === 0) {
		return '';
	}
	const cell =
		(tag: 'td' | 'th') =>
		({text, isNumber = false, name = ''}: Cell): string =>
			`<${tag} class="${isNumber ? 'n ' : ''}${name}">${escapeMarkup(text)}</${tag}>`;
	const body = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('');
	return `<div class="scroll"><table><thead><tr>${head.map(cell('th')).join('')}</tr></thead><tbody>${body}</tbody></table></div>`;
};

const number = (text: string): Cell => ({text, isNumber: true});
const word = (text: string): Cell => ({text});

const block = (title: string, content: string | undefined): string =>
	content === undefined || content === '' ? '' : `<section><h2>${escapeMarkup(title)}</h2>${content}</section>`;

const findings = (report: ProbeReport): string =>
	report.findings.length === 0
		? '<p class="good">Nothing was found that a standard forbids.</p>'
		: tableOf(
				[word(''), word('What'), word('Where'), word('Clause'), number('Times')],
				report.findings.map(({severity, message, where, clause, count}) => [
					{text: severity, name: severity},
					word(message),
					word(where),
					word(clause),
					number(`${count}`),
				]),
			);

const layers = (report: ProbeReport): string =>
	tableOf(
		[word('Layer'), number('Bytes'), number('Rate'), number('Share')],
		report.layers.map(({layer, bytes, bps, share}) => [
			word(layer),
			number(formatBytes(bytes)),
			number(bps === undefined ? '-' : formatRate(bps)),
			number(formatRatio(share)),
		]),
	);

const sessions = (report: ProbeReport): string =>
	tableOf(
		[word('Session'), word('Announced'), number('Rate'), number('Packets'), number('Objects'), number('Lost')],
		report.sessions.map(({group, port, tsi, announced, bps, packets, objects, lossRatio}) => [
			word(`${group}:${port} TSI ${tsi}`),
			{text: announced ? 'yes' : 'no', name: announced ? '' : 'warning'},
			number(bps === undefined ? '-' : formatRate(bps)),
			number(`${packets}`),
			number(`${objects}`),
			{...number(formatRatio(lossRatio)), name: lossRatio > 0 ? 'error' : ''},
		]),
	);

const objects = (report: ProbeReport): string =>
	tableOf(
		[word('Object'), word('Type'), number('Size'), number('Sent'), number('Cycle'), number('Lost')],
		report.objects
			.slice(0, objectsShownMax)
			.map((object) => [
				word(object.uri ?? `TOI ${object.toi}, which no FDT describes`),
				word(object.contentType ?? ''),
				number(object.sizeBytes === undefined ? '?' : formatBytes(object.sizeBytes)),
				number(`${object.transmissions}`),
				number(object.cycleMs === undefined ? '-' : formatSpan(object.cycleMs.mean)),
				{...number(`${object.lostSymbols}`), name: object.lostSymbols > 0 ? 'error' : ''},
			]),
	);

const networks = ({networks: found, services}: ProbeReport): string =>
	[
		...found.flatMap(({networkId, name, streams}) => [
			`Network ${networkId} ${name}`,
			...streams.map(({serviceId, linkLayerFormat, tuning}) =>
				tuning === undefined
					? `Stream of service ${serviceId}, ${linkLayerFormat}`
					: `Stream of service ${serviceId}, ${linkLayerFormat}: ${tuning.system} ${tuning.frequencyKhz / 1000} MHz ${tuning.polarization}, ${tuning.symbolRateKsps} ksym/s ${tuning.modulation ?? ''} ${tuning.codeRate ?? ''}`,
			),
		]),
		...services.map(({name, channelNumber, deliveries}) => `${channelNumber ?? ''} ${name}: ${deliveries.join(', ')}`),
	]
		.map((line) => `<p>${escapeMarkup(line.trim())}</p>`)
		.join('');

const signalOf = ({signal}: ProbeReport): string => {
	if (signal === undefined) {
		return '';
	}
	const {modcod, symbolRate, frames, failedFrames, merDb} = signal;
	const words = `${modcod} at ${(symbolRate / 1e6).toFixed(3)} Msym/s, ${frames} frames, ${failedFrames} not corrected${merDb === undefined ? '' : `, MER ${merDb.toFixed(1)} dB`}`;
	return (
		block('Signal', `<p>${escapeMarkup(words)}</p>`) +
		block('Constellation', `<div class="square">${constellationPicture(signal)}</div>`) +
		block('Spectrum', spectrumPicture(signal))
	);
};

/** One file that needs nothing else: no script, no font, nothing from a network. */
export const formatHtml = (report: ProbeReport): string => {
	const {source, span} = report;
	const facts = `${formatBytes(source.bytes)}, ${source.datagrams} UDP datagrams${span === undefined ? '' : ` in ${formatSpan(span.durationMs)}`}`;
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeMarkup(source.name)}</title><style>${style}</style></head><body>
<h1>${escapeMarkup(source.name)}</h1><p class="soft">${escapeMarkup(facts)}</p>
${signalOf(report)}${block('Findings', findings(report))}${block('Networks and services', networks(report))}${block('Rate over time', ratePicture(report))}${block('Layers', layers(report))}${block('Sessions', sessions(report))}${block('Object timeline', timelinePicture(report))}${block('Objects', objects(report))}
</body></html>
`;
};
