import type {JSX} from 'preact';
import type {Overview} from '#ota/contract/box-api.ts';
import {Bar} from '../component/bar.tsx';
import {Link} from '../component/link.tsx';
import {Panel} from '../component/panel.tsx';
import {formatCount, formatPercent} from '../format/format-number.ts';
import {boxesPath} from '../state/router.ts';

type Kind = keyof Overview['byKind'];
type KindData = Overview['byKind'][Kind];

const titles: Readonly<Record<Kind, string>> = {headend: 'Headends', 'pop-node': 'Pop-nodes', stb: 'Set-top boxes'};
/** More releases than this are told as one line: the tail is long and says little. */
const releasesShown = 5;

/** How the boxes of one kind are, and what they run. */
export const KindPanel = ({kind, data}: {readonly kind: Kind; readonly data: KindData | undefined}): JSX.Element => {
	const health = data?.byHealth ?? {};
	return (
		<Panel title={titles[kind]} class="span-4">
			<p class="kind-head">
				<strong>{formatCount(data?.boxes ?? 0)}</strong>
				<span class="soft">{formatCount(data?.online ?? 0)} online</span>
			</p>
			<Bar
				label={`Health of ${titles[kind]}`}
				parts={[
					{label: 'ok', count: health['ok'] ?? 0, tone: 'good'},
					{label: 'warning', count: health['warning'] ?? 0, tone: 'warn'},
					{label: 'critical', count: health['critical'] ?? 0, tone: 'bad'},
					{label: 'unknown', count: health['unknown'] ?? 0, tone: 'none'},
				]}
			/>
			<Releases kind={kind} byRelease={data?.byRelease ?? {}} boxes={data?.boxes ?? 0} />
		</Panel>
	);
};

type ReleasesProps = {
	readonly kind: Kind;
	readonly byRelease: Readonly<Record<string, number>>;
	readonly boxes: number;
};

const Releases = ({kind, byRelease, boxes}: ReleasesProps): JSX.Element => {
	const sorted = Object.entries(byRelease).toSorted((one, other) => other[1] - one[1]);
	const others = sorted.slice(releasesShown).reduce((sum, [, count]) => sum + count, 0);
	return (
		<div class="release-share">
			{sorted.slice(0, releasesShown).map(([release, count]) => (
				<ReleaseShare key={release} release={release} count={count} of={boxes} kind={kind} />
			))}
			{others > 0 && (
				<>
					<span class="faint">{sorted.length - releasesShown} others</span>
					<Meter share={others / Math.max(1, boxes)} />
					<span class="number">{formatCount(others)}</span>
				</>
			)}
		</div>
	);
};

const ReleaseShare = (props: {
	readonly release: string;
	readonly count: number;
	readonly of: number;
	readonly kind: Kind;
}): JSX.Element => {
	const {release, count, of, kind} = props;
	const share = count / Math.max(1, of);
	return (
		<>
			{release === '' ? (
				<span class="faint">not told</span>
			) : (
				<Link to={boxesPath(`kind=${kind} release=${release}`)} class="mono">
					{release}
				</Link>
			)}
			<Meter share={share} />
			<span class="soft nowrap">
				{formatCount(count)} <span class="faint">· {formatPercent(share)}</span>
			</span>
		</>
	);
};

const Meter = ({share}: {readonly share: number}): JSX.Element => (
	<span class="meter" aria-hidden="true">
		<i style={{width: `${share * 100}%`}} />
	</span>
);
