"""The closed lists of this floor (statuses, kinds, labels, consent types) and the shape of a code."""

import re

from django.db import models

CODE = re.compile(r"[A-Za-z0-9_.:+/-]{1,64}")


class PatientStatus(models.TextChoices):
    """`deleted` means erased: the row stays, pseudonymised."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    DELETED = "deleted", "Erased"


class AgeBand(models.TextChoices):
    """The only trace of an age outside the sealed date of birth."""

    UNKNOWN = "unknown", "Age unknown"
    UNDER_13 = "under_13", "Under 13"
    TEEN = "13_17", "13-17"
    YOUNG = "18_24", "18-24"
    THIRTIES = "25_34", "25-34"
    FORTIES = "35_44", "35-44"
    FIFTIES = "45_54", "45-54"
    SIXTIES = "55_64", "55-64"
    OLDER = "65_plus", "65 and over"


MINOR_BANDS = frozenset({AgeBand.UNDER_13, AgeBand.TEEN})
# Days that a person may choose to have their data kept; a CHECK holds it.
RETENTION_DAYS = (30, 365)


class CareRole(models.TextChoices):
    """Domain 6.1; a caregiver never signs in."""

    PRIMARY_THERAPIST = "primary_therapist", "Primary therapist"
    PSYCHIATRIST = "psychiatrist", "Psychiatrist"
    COUNSELOR = "counselor", "Counselor"
    CASE_MANAGER = "case_manager", "Case manager"
    PEER_WORKER = "peer_worker", "Peer worker"
    SUPERVISOR = "supervisor", "Supervisor"
    PRIMARY_CARE = "primary_care", "Primary care"
    CAREGIVER = "caregiver", "Caregiver"


class GrantReason(models.TextChoices):
    """Why one person may see one patient for a while, outside of every team."""

    CONSULTATION = "consultation", "Consultation"
    SECOND_OPINION = "second_opinion", "Second opinion"
    BREAK_GLASS = "break_glass", "Break-glass"


class GlassReason(models.TextChoices):
    """Why somebody outside a team opens a chart (domain 7.4)."""

    IMMINENT_RISK = "imminent_risk", "Somebody is in imminent danger"
    CARE_CONTINUITY = "care_continuity", "Care can't wait for the team"
    SYSTEM_FAILURE = "system_failure", "A failure keeps the team's own way shut"


class GlassVerdict(models.TextChoices):
    """What compliance found of it."""

    APPROPRIATE = "appropriate", "Appropriate"
    INAPPROPRIATE = "inappropriate", "Inappropriate: an incident"


class HeldRecords(models.TextChoices):
    """The kinds of records that a legal hold can name."""

    PERSON = "person", "Demographics, contacts, last place"
    SESSIONS = "sessions", "Sessions, voice, check-ins"
    MESSAGES = "messages", "Messages"
    MEASURES = "measures", "Measures"
    NOTES = "notes", "Notes"
    PLANS = "plans", "Plans, diagnoses, medications"
    SAFETY_PLANS = "safety_plans", "Safety plans"
    DOCUMENTS = "documents", "Documents"
    CRISIS = "crisis", "Alerts, risk, follow-ups"
    APPOINTMENTS = "appointments", "Appointments and billing"
    CONSENTS = "consents", "Consents"


class ReferralSource(models.TextChoices):
    """Who sent somebody."""

    SELF = "self", "The person themself"
    FAMILY = "family", "Family or friends"
    PHYSICIAN = "physician", "A physician"
    HOSPITAL = "hospital", "A hospital"
    SCHOOL = "school", "School or work"
    CRISIS_DESK = "crisis_desk", "The crisis desk"
    COLLEAGUE = "colleague", "A colleague of this service"
    OTHER = "other", "Somebody else"


class Urgency(models.TextChoices):
    """How soon a referral should be seen."""

    URGENT = "urgent", "Within a day"
    SOON = "soon", "Within a week"
    ROUTINE = "routine", "In turn"


class ReferralStatus(models.TextChoices):
    """Where a referral stands."""

    WAITING = "waiting", "Waiting"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"


class DeclineReason(models.TextChoices):
    """Why a referral was not taken."""

    NO_ROOM = "no_room", "No room"
    NOT_SUITABLE = "not_suitable", "Needs something else"
    WRONG_SERVICE = "wrong_service", "Belongs to another service"
    PERSON_DECLINED = "person_declined", "The person doesn't want it"


class EndingKind(models.TextChoices):
    """How care by somebody ended."""

    DISCHARGE = "discharge", "Discharge"
    TRANSFER = "transfer", "Transfer"


class EndingReason(models.TextChoices):
    """Why."""

    GOALS_REACHED = "goals_reached", "The goals are reached"
    PERSON_ENDED = "person_ended", "The person ended it"
    NO_CONTACT = "no_contact", "No contact any more"
    MOVED_AWAY = "moved_away", "The person moved away"
    OTHER_SERVICE = "other_service", "Another service takes over"
    OTHER_SKILLS = "other_skills", "Needs somebody with other skills"
    PERSON_ASKED = "person_asked", "The person asked for somebody else"
    STAFF_LEFT = "staff_left", "The clinician leaves"


# A reason says why care ended, or why somebody else goes on: each belongs to one of the two.
ENDING_REASONS = {
    EndingKind.DISCHARGE: (
        EndingReason.GOALS_REACHED, EndingReason.PERSON_ENDED, EndingReason.NO_CONTACT,
        EndingReason.MOVED_AWAY, EndingReason.OTHER_SERVICE,
    ),
    EndingKind.TRANSFER: (EndingReason.OTHER_SKILLS, EndingReason.PERSON_ASKED, EndingReason.STAFF_LEFT),
}  # fmt: skip


class ConsentType(models.TextChoices):
    """Domain 7.1."""

    TREATMENT = "treatment", "Treatment"
    PRIVACY_NOTICE = "privacy_notice", "Privacy notice"
    VOICE_PROCESSING = "voice_processing", "Voice processing"
    AI_PATTERN_ANALYSIS = "ai_pattern_analysis", "Pattern analysis"
    RECORDING = "recording", "Recording"
    EMERGENCY_CONTACT = "emergency_contact", "Emergency contact"
    CAREGIVER_SHARING = "caregiver_sharing", "Sharing with a caregiver"
    CARE_TEAM_SHARING = "care_team_sharing", "Sharing with the care team"
    PART2_TPO = "part2_tpo", "Part 2: treatment, payment, operations"
    PART2_SUD_NOTES = "part2_sud_counseling_notes", "Part 2: counseling notes"
    PSYCHOTHERAPY_NOTES = "psychotherapy_notes_release", "Release of psychotherapy notes"
    RESEARCH = "research", "Research"
    MEMORY = "memory_personalisation", "Memory and personalisation"
    MESSAGING = "messaging_sms_email", "SMS and e-mail"
    TELEHEALTH = "telehealth", "Telehealth"
    TRANSFER = "cross_border_transfer", "Transfer abroad"


class ConsentMethod(models.TextChoices):
    """How a consent reached us."""

    APP = "app", "In the app"
    PAPER = "paper", "On paper"
    SPOKEN = "spoken", "Spoken"
    IMPORT = "import", "Imported"


class ConsentPurpose(models.TextChoices):
    """What a consent may be limited to."""

    CARE = "care", "Care"
    SAFETY = "safety", "Safety"
    QUALITY = "quality", "Quality of the service"
    RESEARCH = "research", "Research"


class DataCategory(models.TextChoices):
    """Which data a consent may be limited to."""

    IDENTITY = "identity", "Name and ways to reach them"
    MESSAGES = "messages", "Messages"
    VOICE = "voice", "Voice"
    SESSIONS = "sessions", "Sessions"
    CHECKINS = "checkins", "Check-ins"
    MEASURES = "measures", "Measures"
    NOTES = "notes", "Notes"
    PLAN = "plan", "Plan and goals"
    DIAGNOSES = "diagnoses", "Diagnoses"
    MEDICATIONS = "medications", "Medications and allergies"
    SAFETY_PLAN = "safety_plan", "Safety plan"
    CRISES = "crises", "Crises"
    DOCUMENTS = "documents", "Documents"
    APPOINTMENTS = "appointments", "Appointments"


class ConsentRecipient(models.TextChoices):
    """Towards whom a consent may be limited."""

    CARE_TEAM = "care_team", "The care team"
    FAMILY_DOCTOR = "family_doctor", "The family doctor"
    CAREGIVER = "caregiver", "A caregiver"
    INSURER = "insurer", "The insurer"


class ConsentChannel(models.TextChoices):
    """By which ways a consent may be limited to reach them or others."""

    IN_PERSON = "in_person", "In person"
    PHONE = "phone", "Phone"
    VIDEO = "video", "Video"
    APP = "app", "The app"
    SMS = "sms", "SMS"
    EMAIL = "email", "E-mail"
    LETTER = "letter", "Letter"


class SessionKind(models.TextChoices):
    """Domain 1.4: six things that sources call a session, and a counselor's conversation."""

    SELF_GUIDED = "self_guided", "Self-guided"
    VOICE_CHECKIN = "voice_checkin", "Voice check-in"
    NEURAL_AUDIO = "neural_audio", "Neural audio"
    THERAPY = "therapy", "Therapy"
    CHAT = "chat", "Chat"
    CRISIS_CONTACT = "crisis_contact", "Crisis contact"


class Channel(models.TextChoices):
    """Where a session takes place."""

    IN_PERSON = "in_person", "In person"
    VIDEO = "video", "Video"
    PHONE = "phone", "Phone"
    SMS = "sms", "SMS"
    CHAT = "chat", "Chat"
    VOICE_APP = "voice_app", "Voice app"
    APP = "app", "App"


class SessionStatus(models.TextChoices):
    """Where a session stands."""

    SCHEDULED = "scheduled", "Scheduled"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    ABANDONED = "abandoned", "Abandoned"
    NO_SHOW = "no_show", "No show"
    CANCELLED = "cancelled", "Cancelled"


# A session that was begun met somebody, whatever became of it.
MET = (SessionStatus.IN_PROGRESS, SessionStatus.COMPLETED, SessionStatus.ABANDONED)


class Emotion(models.TextChoices):
    """Canonical labels (domain 1.5)."""

    HAPPY = "happy", "Happy"
    TRUST = "trust", "Trust"
    ANTICIPATION = "anticipation", "Anticipation"
    SURPRISE = "surprise", "Surprise"
    NEUTRAL = "neutral", "Neutral"
    DISGUST = "disgust", "Disgust"
    ANGRY = "angry", "Angry"
    FEAR = "fear", "Fear"
    SAD = "sad", "Sad"
    NUMB = "numb", "Numb"
    RESIGNED = "resigned", "Resigned"
    HOPELESS = "hopeless", "Hopeless"


VOICE_EMOTIONS = tuple(label for label in Emotion.values if label not in ("trust", "anticipation"))


class EmotionSource(models.TextChoices):
    """What an emotion was read from."""

    VOICE = "voice", "Voice"
    TEXT = "text", "Text"
    CLINICIAN = "clinician", "Clinician"
    SELF_REPORT = "self_report", "Self-report"


class MessageRole(models.TextChoices):
    """Who speaks; only the patient's own words are evidence."""

    PATIENT = "patient", "Patient"
    ASSISTANT = "assistant", "Assistant"
    STAFF = "staff", "Staff"


class ReviewStatus(models.TextChoices):
    """Whether a person has looked at an observation."""

    UNREVIEWED = "unreviewed", "Not reviewed"
    CONFIRMED = "confirmed", "Confirmed"
    CORRECTED = "corrected", "Corrected"
    REJECTED = "rejected", "Rejected"


class DissonanceType(models.TextChoices):
    """How words and voice differ (domain 5.7)."""

    CONCEALMENT = "concealment", "Concealment"
    AMPLIFICATION = "amplification", "Amplification"
    CONGRUENT = "congruent", "Congruent"
    UNKNOWN = "unknown", "Unknown"


class ToolStatus(models.TextChoices):
    """How far a tool call of the assistant got."""

    STARTED = "started", "Started"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


SENSITIVITY_LABELS = ("N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR")
LANGUAGE_NAMES = {"en": "English", "sw": "Kiswahili", "sheng": "Sheng", "other": "Another"}
LANGUAGES = tuple(LANGUAGE_NAMES)
