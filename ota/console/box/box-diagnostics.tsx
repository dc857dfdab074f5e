import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {DiagnosticsItem} from '#ota/contract/diagnostics-api.ts';
import {Age} from '../component/age.tsx';
import {Badge, type Tone} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {Empty, Failed} from '../component/empty.tsx';
import {TextField} from '../component/field.tsx';
import {MoreButton} from '../component/more-button.tsx';
import {Panel} from '../component/panel.tsx';
import {formatBytes} from '../format/format-number.ts';
import {apiPath, request} from '../state/request.ts';
import {may} from '../state/session.ts';
import {attempt} from '../state/toast.ts';
import {usePages} from '../state/use-pages.ts';

const tones: Readonly<Record<DiagnosticsItem['state'], Tone>> = {
	requested: 'accent',
	receiving: 'accent',
	ready: 'good',
	failed: 'bad',
};

/** A recording is read while somebody still types, and its size is counted at its end; all else comes as a whole. */
const isGrowing = ({kind, state}: DiagnosticsItem): boolean => kind === 'recording' && state === 'receiving';

type BoxDiagnosticsProps = {readonly id: string; readonly interfaces: readonly string[]};

export const BoxDiagnostics = ({id, interfaces}: BoxDiagnosticsProps): JSX.Element => {
	const items = usePages<DiagnosticsItem>('/diagnostics', {query: {box: id}, live: ['diagnostics'], refreshMsMin: 500});
	const isCapturing = useSignal(false);
	const ask = async (body: object): Promise<void> => {
		await request('POST', `/boxes/${encodeURIComponent(id)}/diagnostics`, {body});
		items.reload();
	};
	return (
		<Panel
			title="Bundles, captures and recordings"
			class="panel-flush"
			actions={
				<>
					{may('admin') && (
						<Button
							onPress={() => {
								isCapturing.value = true;
							}}
						>
							Capture packets …
						</Button>
					)}
					{may('operator') && (
						<Button
							look="primary"
							onPress={() => attempt(() => ask({kind: 'bundle'}), 'The box was asked for a bundle')}
						>
							Collect a bundle
						</Button>
					)}
				</>
			}
		>
			{items.error.value !== undefined && <Failed error={items.error.value} />}
			{items.items.length === 0 && !items.isFirst.value ? (
				<Empty icon="download" title="Nothing was collected from this box yet" />
			) : (
				<Items items={items.items} />
			)}
			<MoreButton pages={items} />
			{isCapturing.value && (
				<CaptureDialog
					interfaces={interfaces}
					onAsk={ask}
					onClose={() => {
						isCapturing.value = false;
					}}
				/>
			)}
		</Panel>
	);
};

const Items = ({items}: {readonly items: readonly DiagnosticsItem[]}): JSX.Element => (
	<div class="table-wrap">
		<table class="table">
			<thead>
				<tr>
					<th class="wide">File</th>
					<th>State</th>
					<th class="number">Size</th>
					<th>By</th>
					<th>Asked</th>
					<th />
				</tr>
			</thead>
			<tbody>
				{items.map((item) => (
					<tr key={item.id}>
						<td>
							<span class="mono">{item.fileName}</span>{' '}
							{item.error !== null && <span class="soft">{item.error.message}</span>}
						</td>
						<td>
							<Badge tone={tones[item.state]}>{isGrowing(item) ? 'growing' : item.state}</Badge>
						</td>
						<td class="number nowrap">{isGrowing(item) ? '–' : formatBytes(item.sizeBytes)}</td>
						<td>{item.actor}</td>
						<td>
							<Age atMs={item.createdMs} />
						</td>
						<td>
							{(item.state === 'ready' || isGrowing(item)) && may(item.kind === 'recording' ? 'admin' : 'operator') && (
								<a class="button" href={apiPath(`/diagnostics/${item.id}/content`)} download={item.fileName}>
									{isGrowing(item) ? 'Download so far' : 'Download'}
								</a>
							)}
						</td>
					</tr>
				))}
			</tbody>
		</table>
	</div>
);

const CaptureDialog = (props: {
	readonly interfaces: readonly string[];
	readonly onAsk: (body: object) => Promise<void>;
	readonly onClose: () => void;
}): JSX.Element => {
	const name = useSignal(props.interfaces[0] ?? 'any');
	const filter = useSignal('');
	const seconds = useSignal('10');
	return (
		<FormDialog
			title="Capture packets"
			verb="Capture"
			onClose={props.onClose}
			onSubmit={() =>
				props.onAsk({kind: 'capture', interface: name.value, filter: filter.value, seconds: Number(seconds.value)})
			}
		>
			<TextField label="Interface" value={name} required={true} />
			<TextField label="Filter" value={filter} hint="As tcpdump takes it, such as: udp port 3937" />
			<TextField label="Seconds" value={seconds} type="number" min={1} max={60} />
		</FormDialog>
	);
};
