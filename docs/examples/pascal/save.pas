{ The calls of docs/integrating.md from Free Pascal 3.2; Delphi has THTTPClient and System.JSON for TFPHTTPClient and fpjson.
  Arguments: address of the sidecar, folder of what is still to be told, deadline in milliseconds. }
program save;

{ Without a codepage directive texts stand in the program as in this file: UTF-8. }
{$mode objfpc}{$H+}

uses
  {$ifdef unix} cwstring, {$endif}
  Classes, SysUtils, DateUtils, fphttpclient, fpjson, jsonparser;

const
  Service = '/reminder.v1.ReminderService/';
  Reason = 'outside_record';
  ReasonText = '外院脑梗死出院小结，患者已带来';

type
  TLine = record
    Id, Code, Name: string;
    Quantity, Fen: Integer;
  end;
  { The sidecar cannot use what was sent: sending it again would not help, somebody has to look. }
  ERefused = class(Exception);

var
  Address, Outbox, NowText, Visit: string;
  DeadlineMs, Told, Failures, Before: Integer;
  SilentUntil: TDateTime;
  Lines: array of TLine;
  Answer, Kept: TJSONObject;

function NewId: string;
begin
  Result := LowerCase(Copy(TGUID.NewGuid.ToString(True), 1, 36));
end;

function LineOf(const Id, Code, Name: string; Quantity, Fen: Integer): TLine;
begin
  Result.Id := Id;
  Result.Code := Code;
  Result.Name := Name;
  Result.Quantity := Quantity;
  Result.Fen := Fen;
end;

{ What is asked about; every further fact makes more rules decidable (docs/facts.md). }
function Prescription(const Scene: string; const Asked: array of TLine): TJSONObject;
var
  Item: TLine;
  List: TJSONArray;
  Encounter: TJSONObject;
begin
  List := TJSONArray.Create;
  for Item in Asked do
    List.Add(TJSONObject.Create(['id', Item.Id, 'code', Item.Code, 'name', Item.Name, 'begins', NowText,
      'quantity', Item.Quantity, 'unit_price_fen', Item.Fen, 'amount_fen', Item.Quantity * Item.Fen]));
  Encounter := TJSONObject.Create(['id', Visit, 'visit_mode', 'outpatient',
    'insurance', TJSONArray.Create(['employee']), 'institution_level', 3, 'admitted_at', NowText,
    'department_code', '0301', 'department_name', '内科', 'doctor_id', 'D000000000001',
    'diagnoses', TJSONArray.Create([TJSONObject.Create(['code', 'I10.x00', 'name', '高血压', 'main', True])]),
    'lines', List]);
  { One question, one id: the same id asks for the answer it had. }
  Result := TJSONObject.Create(['request_id', NewId, 'institution_id', 'H00000000000', 'time', NowText,
    'scene', TJSONArray.Create([Scene]),
    'patient', TJSONObject.Create(['id', 'P-' + Visit, 'sex', '男', 'birth_date', '1980-04-12']),
    'encounter', Encounter]);
end;

function Post(const Method, Text: string): TJSONObject;
var
  Client: TFPHTTPClient;
  Sent: TStringStream;
  Reply: string;
begin
  Client := TFPHTTPClient.Create(nil);
  Sent := TStringStream.Create(Text);
  try
    Client.ConnectTimeout := DeadlineMs;
    Client.IOTimeout := DeadlineMs;
    Client.AddHeader('Content-Type', 'application/json; charset=utf-8');
    Client.AddHeader('reminder-deadline-ms', IntToStr(DeadlineMs));
    Client.RequestBody := Sent;
    Reply := Client.Post(Address + Service + Method);
    SetCodePage(RawByteString(Reply), CP_UTF8, False);
    if (Client.ResponseStatusCode = 400) or (Client.ResponseStatusCode = 413) then
      raise ERefused.Create(Reply);
    if Client.ResponseStatusCode <> 200 then
      raise Exception.CreateFmt('status %d %s', [Client.ResponseStatusCode, Reply]);
    Result := GetJSON(Reply) as TJSONObject;
  finally
    Sent.Free;
    Client.Free;
  end;
end;

function Contents(const FileName: string): string;
begin
  with TStringStream.Create('') do
    try
      LoadFromFile(FileName);
      Result := DataString;
    finally
      Free;
    end;
end;

procedure Store(const FileName, Text: string);
begin
  with TStringStream.Create(Text) do
    try
      SaveToFile(FileName + '.part');
    finally
      Free;
    end;
  RenameFile(FileName + '.part', FileName);
end;

{ What waits, oldest first. }
function Waiting: TStringList;
var
  Found: TSearchRec;
begin
  Result := TStringList.Create;
  if FindFirst(Outbox + '/*.json', faAnyFile, Found) = 0 then
    repeat
      Result.Add(Outbox + '/' + Found.Name);
    until FindNext(Found) <> 0;
  FindClose(Found);
  Result.Sort;
end;

{ Sends what waits; what it told before is known there and does no harm. Nil: the last one waits still. }
function Deliver: TJSONObject;
var
  Files: TStringList;
  FileName, Method: string;
begin
  Result := nil;
  Files := Waiting;
  try
    for FileName in Files do
    begin
      Method := ChangeFileExt(FileName, '');
      Method := Copy(Method, LastDelimiter('-', Method) + 1, Length(Method));
      FreeAndNil(Result);
      try
        Result := Post(Method, Contents(FileName));
        DeleteFile(FileName);
      except
        on Error: ERefused do
        begin
          WriteLn(StdErr, FileName, ': ', Error.Message);
          RenameFile(FileName, FileName + '.refused');
        end;
        on Error: Exception do
        begin
          WriteLn(StdErr, FileName, ': ', Error.Message);
          Break;
        end;
      end;
    end;
  finally
    Files.Free;
  end;
end;

{ Tells something that must arrive: written to the outbox first, sent now or later. Nil: it waits. }
function Tell(const Method: string; Message: TJSONObject): TJSONObject;
begin
  { In order, and never the same twice; each process has a folder of its own. }
  Store(Format('%s/%s-%.4d-%s.json', [Outbox, FormatDateTime('yyyymmddhhnnsszzz', Now), Told, Method]), Message.AsJSON);
  Inc(Told);
  Message.Free;
  Result := Deliver;
end;

{ Asks; nil where nobody answered in time: then your system saves as if there were no sidecar. }
function Check(const Moment, Scene: string; const Asked: array of TLine): TJSONObject;
var
  Question, Finding: TJSONObject;
  Index: Integer;
begin
  Result := nil;
  Question := Prescription(Scene, Asked);
  if Now >= SilentUntil then
    try
      Result := Post('Check', Question.AsJSON);
      Failures := 0;
    except
      on Error: ERefused do
        WriteLn(StdErr, Moment, ': ', Error.Message);
      on Error: Exception do
      begin
        WriteLn(StdErr, Moment, ': ', Error.Message);
        { Three in a row without an answer: nobody waits for the sidecar during the next ten seconds. }
        Inc(Failures);
        if Failures >= 3 then
          SilentUntil := IncSecond(Now, 10);
      end;
    end;
  Question.Free;
  if Result = nil then
  begin
    WriteLn(Moment, ': not checked');
    Exit;
  end;
  WriteLn(Moment, ': ', Result.Strings['decision']);
  for Index := 0 to Result.Arrays['findings'].Count - 1 do
  begin
    Finding := Result.Arrays['findings'].Objects[Index];
    WriteLn('  ', Finding.Arrays['lines'].Strings[0], ' ', Finding.Strings['message']);
  end;
end;

{ Tells what was done about each finding: one word for blocks, one for the others. }
procedure Feedback(Checked: TJSONObject; const OfBlocks, OfOthers: string);
var
  Items: TJSONArray;
  Item, Finding, Outcome: TJSONObject;
  Index: Integer;
  Done: string;
begin
  Items := TJSONArray.Create;
  for Index := 0 to Checked.Arrays['findings'].Count - 1 do
  begin
    Finding := Checked.Arrays['findings'].Objects[Index];
    if Finding.Strings['action'] = 'block' then
      Done := OfBlocks
    else
      Done := OfOthers;
    Item := TJSONObject.Create(['finding_id', Finding.Strings['finding_id'], 'done', Done, 'done_at', NowText,
      'answer_ms', 5400]);
    if Done = 'overridden' then
    begin
      Item.Add('reason_code', Reason);
      Item.Add('reason_text', ReasonText);
    end;
    Items.Add(Item);
  end;
  Outcome := Tell('RecordFeedback', TJSONObject.Create(['request_id', NewId, 'institution_id', 'H00000000000',
    'doctor_id', 'D000000000001', 'items', Items]));
  Write('feedback:');
  if Outcome = nil then
    Write(' waits')
  else
    for Index := 0 to Outcome.Arrays['items'].Count - 1 do
      Write(' ', Outcome.Arrays['items'].Objects[Index].Strings['status']);
  WriteLn;
  Outcome.Free;
end;

function WaitingCount: Integer;
var
  Files: TStringList;
begin
  Files := Waiting;
  Result := Files.Count;
  Files.Free;
end;

begin
  SetMultiByteConversionCodePage(CP_UTF8);
  SetTextCodePage(Output, CP_UTF8);
  SetTextCodePage(StdErr, CP_UTF8);
  Address := ParamStr(1);
  Outbox := ParamStr(2);
  DeadlineMs := StrToIntDef(ParamStr(3), 300);
  NowText := FormatDateTime('yyyy-mm-dd hh:nn:ss', Now);
  Visit := 'M' + NewId;
  ForceDirectories(Outbox);

  Before := WaitingCount;
  Deliver.Free;
  if Before > 0 then
    WriteLn('delivered: ', Before - WaitingCount);

  { 1. An item is chosen: asked about alone, while the doctor types on. }
  SetLength(Lines, 3);
  Lines[0] := LineOf('L1', 'ZD02AAF0221010105329', '妇乐胶囊', 1, 1000);
  Lines[1] := LineOf('L2', 'XC02CXY165B002010102918', '银杏达莫注射液', 2, 4860);
  Lines[2] := LineOf('L3', 'XA11DAW036A001010104127', '维生素B1片', 1, 1250);
  Check('select', '2', [Lines[0]]).Free;

  { 2. The prescription is about to be saved. }
  Answer := Check('save', '2', Lines);
  if (Answer <> nil) and (Answer.Strings['decision'] = 'block') then
  begin
    { The doctor leaves out what is blocked, and goes on with the rest for a reason. }
    Feedback(Answer, 'withdrawn', 'overridden');
    Lines := Copy(Lines, 1, 2);
    Check('save', '2', Lines).Free;
  end;
  Answer.Free;
  { Here your own system saves. Then tell what was saved. }
  Kept := Tell('RecordSaved', TJSONObject.Create(['prescription', Prescription('2', Lines), 'prescription_id', 'RX1',
    'revision', 1, 'saved_at', NowText]));
  if Kept = nil then
    WriteLn('saved: waits')
  else if Kept.Booleans['stored'] then
    WriteLn('saved: stored')
  else
    WriteLn('saved: spooled');
  Kept.Free;

  { 3. A charge is entered. }
  Answer := Check('charge', '2', [LineOf('L4', '001102000040000', '门急诊留观诊查费', 2, 3000)]);
  if (Answer <> nil) and (Answer.Arrays['findings'].Count > 0) then
  begin
    Feedback(Answer, 'changed', 'changed');
    Check('charge', '2', [LineOf('L4', '001102000040000', '门急诊留观诊查费', 1, 3000)]).Free;
  end;
  Answer.Free;

  { 4. Before settlement: everything that will be paid. }
  Check('settle', '7', Lines).Free;
end.
