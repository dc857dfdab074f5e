import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {CommandState, CommandView} from '#ota/contract/command-api.ts';
import {Age} from '../component/age.tsx';
import {Badge, type Tone} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {Empty, Failed} from '../component/empty.tsx';
import {MoreButton} from '../component/more-button.tsx';
import {Panel} from '../component/panel.tsx';
import {flatFacts} from '../format/flat-facts.ts';
import {formatPercent} from '../format/format-number.ts';
import {request} from '../state/request.ts';
import {may} from '../state/session.ts';
import {usePages} from '../state/use-pages.ts';
import {CommandDialog} from './command-dialog.tsx';
import {commandForms} from './command-form.ts';

const tones: Readonly<Record<CommandState, Tone>> = {
	waiting: 'none',
	accepted: 'accent',
	progress: 'accent',
	done: 'good',
	failed: 'bad',
	refused: 'bad',
	expired: 'warn',
};

export const BoxCommands = ({id}: {readonly id: string}): JSX.Element => {
	const open = useSignal<string | undefined>(undefined);
	const commands = usePages<CommandView>('/commands', {query: {box: id}, live: ['commands'], refreshMsMin: 500});
	return (
		<div class="grid">
			{may('operator') && (
				<Panel title="Give a command" class="span-12">
					<div class="actions">
						{commandForms
							.filter(({role}) => may(role))
							.map(({name, title, text}) => (
								<Button
									key={name}
									title={text}
									onPress={() => {
										open.value = name;
									}}
								>
									{title} …
								</Button>
							))}
					</div>
				</Panel>
			)}
			<Panel title="Given commands" class="span-12 panel-flush">
				{commands.error.value !== undefined && <Failed error={commands.error.value} />}
				{commands.items.length === 0 && !commands.isFirst.value ? (
					<Empty icon="terminal" title="No command was given to this box" />
				) : (
					<CommandTable commands={commands.items} />
				)}
				<MoreButton pages={commands} />
			</Panel>
			{open.value !== undefined && (
				<CommandDialog
					title={`Command to ${id}`}
					first={open.value}
					done="Sent"
					onClose={() => {
						open.value = undefined;
					}}
					onSend={async (body) => {
						await request('POST', `/boxes/${encodeURIComponent(id)}/commands`, {body});
						commands.reload();
					}}
				/>
			)}
		</div>
	);
};

const CommandTable = ({commands}: {readonly commands: readonly CommandView[]}): JSX.Element => (
	<div class="table-wrap">
		<table class="table">
			<thead>
				<tr>
					<th>Command</th>
					<th>State</th>
					<th class="wide">Answer</th>
					<th>By</th>
					<th>When</th>
				</tr>
			</thead>
			<tbody>
				{commands.map((command) => (
					<tr key={command.id}>
						<td class="nowrap">
							{command.name} <ArgumentsOf value={command.arguments} />
						</td>
						<td>
							<Badge tone={tones[command.state]}>
								{command.state}
								{command.progress !== null && command.state === 'progress' && ` ${formatPercent(command.progress)}`}
							</Badge>
						</td>
						<td class="wide">
							{command.error === null ? (
								<ArgumentsOf value={command.result} />
							) : (
								<span class="soft">
									{command.error.message} <span class="mono faint">{command.error.code}</span>
								</span>
							)}
						</td>
						<td class="nowrap">{command.actor}</td>
						<td>
							<Age atMs={command.createdMs} />
						</td>
					</tr>
				))}
			</tbody>
		</table>
	</div>
);

const ArgumentsOf = ({value}: {readonly value: unknown}): JSX.Element | null =>
	value === null || value === undefined ? null : (
		<span class="faint">
			{flatFacts(value)
				.map(([name, text]) => `${name} ${text}`.trim())
				.join(' · ')}
		</span>
	);
