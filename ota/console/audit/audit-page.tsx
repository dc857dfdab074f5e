import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {AuditRecord, AuditVerification} from '#ota/contract/audit-api.ts';
import {Badge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {FactList} from '../component/fact-list.tsx';
import {TextField} from '../component/field.tsx';
import {Icon} from '../component/icon.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {wordsOf} from '../format/flat-facts.ts';
import {plural} from '../format/format-number.ts';
import {formatDateTime} from '../format/format-time.ts';
import {apiPath, request} from '../state/request.ts';
import {boxPath, search, setSearch} from '../state/router.ts';
import {may} from '../state/session.ts';
import {attempt, tellDone, tellFailed} from '../state/toast.ts';
import {usePages} from '../state/use-pages.ts';

const tones = {begun: 'none', done: 'good', refused: 'warn', failed: 'bad'} as const;

const verify = () =>
	attempt(async () => {
		const {body} = await request<AuditVerification>('GET', '/audit/verify');
		if (body.intact) {
			tellDone(`The chain holds over ${plural(body.records, 'record')}.`);
		} else {
			tellFailed(`The chain is broken at record ${body.brokenAtSequence}.`);
		}
	});

export const AuditPage = (): JSX.Element => {
	const box = useSignal(search.value.get('box') ?? '');
	const actor = useSignal(search.value.get('actor') ?? '');
	const query = {box: search.value.get('box') ?? undefined, actor: search.value.get('actor') ?? undefined};
	const records = usePages<AuditRecord>('/audit', {query, live: ['audit']});
	return (
		<>
			<PageHead
				title="Audit"
				actions={
					<>
						{may('admin') && <Button onPress={verify}>Verify the chain</Button>}
						<a class="button" href={apiPath('/audit/export', query)} download="audit.csv">
							<Icon name="download" /> CSV
						</a>
					</>
				}
			/>
			<form
				class="log-tools"
				onSubmit={(event) => {
					event.preventDefault();
					setSearch({box: box.value, actor: actor.value});
				}}
			>
				<TextField label="Box" value={box} />
				<TextField label="Who" value={actor} />
				<Button type="submit">Find</Button>
			</form>
			<ListPanel
				label="Audit log"
				pages={records}
				heads={['When', 'Who', 'Did what', 'To', 'Outcome']}
				icon="audit"
				empty="Nothing was done yet"
				renderRow={(record) => (
					<tr key={record.sequence}>
						<td class="nowrap">{formatDateTime(record.atMs)}</td>
						<td class="nowrap">
							{record.actorName} <span class="faint small">{record.address}</span>
						</td>
						<td class="wide">
							<span title={record.action}>{wordsOf(record.action)}</span>
							<FactList value={record.detail} />
						</td>
						<td class="nowrap">{record.box !== null && <Link to={boxPath(record.box)}>{record.box}</Link>}</td>
						<td class="nowrap">
							<Badge tone={tones[record.outcome]}>{record.outcome}</Badge>{' '}
							<span class="faint small">{record.code}</span>
						</td>
					</tr>
				)}
			/>
		</>
	);
};
