import {type Signal, useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import type {BulkLine, BulkRequest} from '#ota/contract/command-bulk-api.ts';
import {Bar} from '../component/bar.tsx';
import {Button} from '../component/button.tsx';
import {Dialog} from '../component/dialog.tsx';
import {Link} from '../component/link.tsx';
import {formatCount, plural} from '../format/format-number.ts';
import {messageOf} from '../state/request.ts';
import {boxPath} from '../state/router.ts';
import {bulkLines} from './bulk-lines.ts';

export type BulkRun = {readonly title: string; readonly request: BulkRequest};

type Refusal = Extract<BulkLine, {readonly kind: 'refused'}>;
type Progress = {
	readonly boxes: number;
	readonly doneCount: number;
	readonly refusals: readonly Refusal[];
	readonly end: {readonly kind: 'none' | 'complete'} | {readonly kind: 'broken'; readonly why: string};
};

const atBegin: Progress = {boxes: 0, doneCount: 0, refusals: [], end: {kind: 'none'}};
/** Refusals that are listed by name; the audit log has all. */
const listedMax = 50;

const advance = (progress: Progress, line: BulkLine): Progress => {
	switch (line.kind) {
		case 'begin':
			return {...progress, boxes: line.boxes};
		case 'done':
			return {...progress, doneCount: progress.doneCount + 1};
		case 'refused':
			return {...progress, refusals: [...progress.refusals, line]};
		case 'end':
			return {...progress, end: {kind: 'complete'}};
	}
};

const follow = async (progress: Signal<Progress>, request: BulkRequest, signal: AbortSignal): Promise<void> => {
	try {
		for await (const line of bulkLines(request, signal)) {
			progress.value = advance(progress.value, line);
		}
		if (progress.value.end.kind === 'none') {
			throw new Error('The server ended before it was through with all.');
		}
	} catch (error) {
		const why = signal.aborted ? 'Stopped; what is done stays done.' : messageOf(error);
		progress.value = {...progress.value, end: {kind: 'broken', why}};
	}
};

/** How far a bulk action is, and which boxes refused it and why. Closing it stops what is left. */
export const BulkProgress = ({run, onClose}: {readonly run: BulkRun; readonly onClose: () => void}): JSX.Element => {
	const progress = useSignal<Progress>(atBegin);
	const stop = useRef(new AbortController());
	useEffect(() => {
		void follow(progress, run.request, stop.current.signal);
		return () => stop.current.abort();
	}, []);
	const {boxes, doneCount, refusals, end} = progress.value;
	const isOver = end.kind !== 'none';
	return (
		<Dialog title={`${run.title}: ${plural(boxes, 'box', 'boxes')}`} onClose={onClose}>
			<div class="form">
				<Bar
					label="Progress"
					parts={[
						{label: 'done', count: doneCount, tone: 'good'},
						{label: 'refused', count: refusals.length, tone: 'bad'},
						{label: 'to do', count: boxes - doneCount - refusals.length, tone: 'none'},
					]}
				/>
				<p role="status">
					{isOver ? 'Ended: ' : ''}
					{formatCount(doneCount)} of {formatCount(boxes)} done, {formatCount(refusals.length)} refused.
				</p>
				{end.kind === 'broken' && (
					<p class="notice" data-tone="bad" role="alert">
						{end.why}
					</p>
				)}
				{refusals.length > 0 && <Refusals refusals={refusals} />}
				<div class="actions">
					{isOver ? (
						<Button look="primary" onPress={onClose}>
							Close
						</Button>
					) : (
						<Button look="danger" onPress={() => stop.current.abort()}>
							Stop
						</Button>
					)}
				</div>
			</div>
		</Dialog>
	);
};

const Refusals = ({refusals}: {readonly refusals: readonly Refusal[]}): JSX.Element => (
	<div class="bulk-refusals">
		<ul>
			{refusals.slice(0, listedMax).map(({box, code, message}) => (
				<li key={box}>
					<Link to={boxPath(box)}>{box}</Link> {message} <code class="faint small">{code}</code>
				</li>
			))}
		</ul>
		{refusals.length > listedMax && <p class="faint">and {formatCount(refusals.length - listedMax)} more</p>}
	</div>
);
