import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import {Badge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {SelectField, TextField, wordChoices} from '../component/field.tsx';
import {Panel} from '../component/panel.tsx';
import type {Query} from '../state/request.ts';
import {type BoxStreamState, openBoxStream} from './box-stream.ts';

const linesMax = 2000;
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

const levelOf = (line: string): string | undefined =>
	/\b(?<level>trace|debug|warn|error|fatal)\b/iu.exec(line.slice(0, 120))?.groups?.['level']?.toLowerCase();

export const BoxLog = ({id, services}: {readonly id: string; readonly services: readonly string[]}): JSX.Element => {
	const service = useSignal('');
	const level = useSignal('info');
	const contains = useSignal('');
	const following = useSignal<Query | undefined>(undefined);
	return (
		<Panel title="Live log">
			<form
				class="log-tools"
				onSubmit={(event) => {
					event.preventDefault();
					following.value = {
						kind: 'log',
						service: service.value,
						levelMin: level.value,
						contains: contains.value,
						tail: 200,
					};
				}}
			>
				<SelectField label="Service" value={service} choices={[{value: '', text: 'all'}, ...wordChoices(services)]} />
				<SelectField label="From level" value={level} choices={wordChoices(levels)} />
				<TextField label="Contains" value={contains} />
				<Button look="primary" type="submit">
					Follow
				</Button>
			</form>
			{following.value === undefined ? (
				<p class="soft">Choose what you want to see; the box begins with its last 200 lines.</p>
			) : (
				<Lines key={JSON.stringify(following.value)} id={id} query={following.value} />
			)}
		</Panel>
	);
};

const Lines = ({id, query}: {readonly id: string; readonly query: Query}): JSX.Element => {
	const element = useRef<HTMLDivElement>(null);
	const lines = useSignal<readonly string[]>([]);
	const state = useSignal<BoxStreamState>('connecting');
	useEffect(() => {
		let rest = '';
		const stream = openBoxStream({
			box: id,
			query,
			onText: (text, drawn) => {
				const parts = (rest + text).split(/\r?\n/u);
				rest = parts.pop() ?? '';
				lines.value = [...lines.value, ...parts].slice(-linesMax);
				requestAnimationFrame(drawn);
			},
			onState: (next, reason) => {
				state.value = next;
				if (reason !== undefined) {
					lines.value = [...lines.value, `— ${reason}`];
				}
			},
		});
		return () => stream.close();
	}, []);
	useEffect(() => {
		const list = element.current;
		// Who has scrolled up reads: the list stays where it is.
		if (list !== null && list.scrollHeight - list.scrollTop - list.clientHeight < 200) {
			list.scrollTop = list.scrollHeight;
		}
	}, [lines.value]);
	return (
		<>
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard. */}
			<div ref={element} class="log-lines" role="log" tabIndex={0}>
				{lines.value.map((line, index) => (
					<div key={index} data-level={levelOf(line)}>
						{line}
					</div>
				))}
			</div>
			<Badge tone={state.value === 'open' ? 'good' : 'warn'}>{state}</Badge>
		</>
	);
};
