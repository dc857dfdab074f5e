import type {Analysis} from '#cli/probe/analysis.ts';
import type {LayerReport} from '#cli/probe/report/probe-report.ts';

/** Bytes of each layer, from the outside in. */
export const layersOf = (analysis: Analysis, spanMs: number | undefined): readonly LayerReport[] => {
	const {carriers, sessions} = analysis;
	const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
	const stats = carriers.map((carrier) => carrier.stats);
	const hasCarrier = sum(stats.map(({carrierBytes}) => carrierBytes)) > 0;
	const frames = sum(carriers.flatMap(({contents}) => contents.frames.map(({dataFieldBytes}) => dataFieldBytes)));
	const objects = sessions.flatMap((session) => session.objects);
	const rows: readonly (readonly [string, number])[] = [
		...(hasCarrier ? [['carrier', sum(stats.map(({carrierBytes}) => carrierBytes))] as const] : []),
		...(frames > 0 ? [['data fields of BBFRAMEs', frames] as const] : []),
		...(hasCarrier
			? ([
					['sections, SNDUs or GSE', sum(stats.map(({encapsulatedBytes}) => encapsulatedBytes))],
					['IP', sum(stats.map(({ipBytes}) => ipBytes))],
				] as const)
			: [['IP', analysis.facts.ipBytes] as const]),
		['FLUTE sessions', sum(sessions.map(({facts}) => facts.bytes))],
		['objects, with repair symbols', sum(objects.map(({bytes}) => bytes))],
	];
	const outermost = rows[0]?.[1] ?? 0;
	return rows
		.filter(([, bytes]) => bytes > 0)
		.map(([layer, bytes]) => ({
			layer,
			bytes,
			bps: spanMs === undefined ? undefined : Math.round((bytes * 8000) / spanMs),
			share: outermost === 0 ? 0 : bytes / outermost,
		}));
};
